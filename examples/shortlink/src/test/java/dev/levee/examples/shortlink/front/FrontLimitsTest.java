package dev.levee.examples.shortlink.front;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.testing.ManualTime;
import dev.levee.examples.shortlink.Reply;
import java.net.InetAddress;
import java.net.UnknownHostException;
import org.junit.jupiter.api.Test;

class FrontLimitsTest {
    private static final String CLIENT = "10.0.0.1";

    private final ManualTime time = new ManualTime();
    private final FrontLimits limits = FrontLimits.local(time.environment());

    @Test
    void a_client_has_a_burst_and_then_a_rate() throws Exception {
        assertThat(admitted(CLIENT, "a", 100)).isEqualTo(60);
        time.advance(ofSeconds(1));
        assertThat(admitted(CLIENT, "a", 100)).isEqualTo(15);
        assertThat(admitted("10.0.0.2", "b", 100)).isEqualTo(60);
    }

    @Test
    void a_client_cannot_have_more_by_naming_other_tenants() throws Exception {
        int admitted = 0;
        for (int i = 0; i < 100; i++) {
            admitted += admitted(CLIENT, "tenant-" + i, 1);
        }

        assertThat(admitted).isEqualTo(60);
    }

    @Test
    void the_network_of_an_ipv6_client_is_one_client() throws Exception {
        int admitted = 0;
        for (int i = 1; i <= 100; i++) {
            admitted += admitted("2001:db8:0:1::" + i, "a", 1);
        }

        assertThat(admitted).isEqualTo(60);
    }

    @Test
    void a_tenant_has_a_limit_for_all_of_its_clients_and_others_have_theirs() throws Exception {
        assertThat(flood("a")).isEqualTo(100);
        time.advance(ofMillis(100));
        assertThat(flood("a")).isEqualTo(15);
        assertThat(flood("b")).isEqualTo(100);
    }

    @Test
    void what_a_client_is_refused_is_not_charged_to_its_tenant() throws Exception {
        assertThat(admitted(CLIENT, "a", 1_000)).isEqualTo(60);

        assertThat(flood("a")).isEqualTo(40);
    }

    @Test
    void what_a_tenant_is_refused_is_not_charged_to_its_client() throws Exception {
        flood("a");
        assertThat(admitted(CLIENT, "a", 1_000)).isZero();

        assertThat(admitted(CLIENT, "b", 100)).isEqualTo(60);
    }

    @Test
    void a_request_that_names_no_tenant_has_the_one_of_the_public() throws Exception {
        assertThat(flood(FrontLimits.DEFAULT_TENANT)).isEqualTo(100);

        assertThat(admitted(CLIENT, null, 1)).isZero();
    }

    @Test
    void a_refusal_says_which_limit_it_was_and_when_to_come_back() throws Exception {
        admitted(CLIENT, "a", 60);
        Reply refusal = refusal(CLIENT, "a");

        assertThat(refusal.status()).isEqualTo(429);
        assertThat(refusal.body()).contains("client");
        assertThat(refusal.headers())
                .containsEntry("Retry-After", "1")
                .containsEntry("RateLimit", "\"client\";r=0;t=1")
                .containsEntry("RateLimit-Policy", "\"client\";q=60;w=4");
        flood("b");
        assertThat(refusal("10.0.0.2", "b").headers())
                .containsEntry("RateLimit", "\"tenant\";r=0;t=1")
                .containsEntry("RateLimit-Policy", "\"tenant\";q=100;w=1");
        time.advance(ofMillis(67));
        assertThat(admitted(CLIENT, "a", 1)).isOne();
    }

    @Test
    void the_name_of_a_tenant_is_bounded() throws Exception {
        assertThat(refusal(CLIENT, "t".repeat(64))).isNull();
        assertThat(refusal(CLIENT, "t".repeat(65)).status()).isEqualTo(400);
        assertThat(refusal(CLIENT, " ").status()).isEqualTo(400);
    }

    /** More than any limit, from clients of which each asks once. */
    private int flood(String tenant) throws UnknownHostException {
        int admitted = 0;
        for (int i = 0; i < 1_000; i++) {
            admitted += admitted("10.1." + i / 250 + "." + i % 250, tenant, 1);
        }
        return admitted;
    }

    private int admitted(String client, String tenant, int requests) throws UnknownHostException {
        int admitted = 0;
        for (int i = 0; i < requests; i++) {
            admitted += refusal(client, tenant) == null ? 1 : 0;
        }
        return admitted;
    }

    private Reply refusal(String client, String tenant) throws UnknownHostException {
        return limits.refusal(InetAddress.getByName(client), tenant);
    }
}
