#include "host_loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "esp_log.h"
#include "esp_mac.h"
#include "host_env.h"

#define SOFTAPS 0x7f040000u /* 127.4/16 */
#define HOME 0x7f010000u    /* 127.1/16 */
#define NETWORK 0xffff0000u
#define SOURCE_ADDRESS 12 /* in the IP header */

bool host_loopback_is_used(void)
{
    return host_env()->ap_interface == NULL;
}

static uint32_t address_in(uint32_t network, esp_mac_type_t type)
{
    uint8_t mac[6];
    esp_read_mac(mac, type);
    return htonl(network | (uint32_t)mac[4] << 8 | mac[5]);
}

uint32_t host_loopback_softap(void)
{
    return address_in(SOFTAPS, ESP_MAC_WIFI_SOFTAP);
}

uint32_t host_loopback_station(void)
{
    return address_in(HOME, ESP_MAC_WIFI_STA);
}

static void filter(int fd, struct sock_filter *code, size_t length)
{
    struct sock_fprog program = {.len = (unsigned short)length, .filter = code};
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0) {
        ESP_LOGW("host_loopback", "the home network reaches the SoftAP: %s", strerror(errno));
    }
}

void host_loopback_keep_home_out(int fd)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_NET_OFF + SOURCE_ADDRESS),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, NETWORK),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, HOME, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };
    filter(fd, code, sizeof code / sizeof code[0]);
}

void host_loopback_keep_all_out(int fd)
{
    struct sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
    filter(fd, code, sizeof code / sizeof code[0]);
}
