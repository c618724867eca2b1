/** `npm run test:brokers`: every way in which a broker can fail, for which `npm test` has no time. */
export const WITH_ALL_BROKERS = process.env.PROV_TEST_BROKERS === "1";
