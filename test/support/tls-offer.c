/* What the virtual board offers in TLS: one suite or curve a line. */
#include <stdio.h>

#include "host_chip_tls.h"
#include "mbedtls/ecp.h"

int main(void)
{
    mbedtls_ssl_config config;
    mbedtls_ssl_config_init(&config);
    mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                MBEDTLS_SSL_PRESET_DEFAULT);
    host_chip_tls_narrow(&config);
    for (const int *suite = config.ciphersuite_list[MBEDTLS_SSL_MINOR_VERSION_3]; *suite != 0; suite++) {
        puts(mbedtls_ssl_get_ciphersuite_name(*suite));
    }
    for (const mbedtls_ecp_group_id *curve = config.curve_list; *curve != MBEDTLS_ECP_DP_NONE; curve++) {
        printf("curve %s\n", mbedtls_ecp_curve_info_from_grp_id(*curve)->name);
    }
    printf("out %zu\n", host_chip_tls_out_max);
    return 0;
}
