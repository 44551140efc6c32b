package dev.levee.loadbalancing.discovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EndpointTest {
    @ParameterizedTest
    @ValueSource(doubles = {-1, -Double.MIN_VALUE, Double.NaN, Double.POSITIVE_INFINITY, 1.1e12})
    void a_weight_that_is_none_is_refused(double weight) {
        assertThatThrownBy(() -> Endpoint.of("a", weight))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("weight must be from 0 to 1.0E12, but was " + weight);
    }

    @Test
    void zero_and_every_fraction_is_a_weight_and_there_is_one_zero() {
        assertThat(Endpoint.of("a", 0.25).weight()).isEqualTo(0.25);
        assertThat(Endpoint.of("a", -0.0)).isEqualTo(Endpoint.of("a", 0.0));
        assertThat(Endpoint.of("a").withWeight(7)).isEqualTo(new Endpoint<>("a", "a", 7));
    }

    @Test
    void a_blank_id_and_null_are_refused() {
        assertThatThrownBy(() -> new Endpoint<>(" ", "a", 1)).hasMessage("id must not be blank, but was \" \"");
        assertThatThrownBy(() -> new Endpoint<>(null, "a", 1)).hasMessage("id");
        assertThatThrownBy(() -> new Endpoint<>("a", null, 1)).hasMessage("address");
        assertThatThrownBy(() -> Endpoint.of(null)).hasMessage("address");
    }

    @Nested
    class IdsOfSockets {
        @Test
        void are_the_same_resolved_or_not() throws Exception {
            InetAddress resolved = InetAddress.getByAddress(new byte[] {10, 0, 0, 1});
            assertThat(Endpoint.of(new InetSocketAddress(resolved, 90)).id()).isEqualTo("10.0.0.1:90");
            assertThat(Endpoint.of(InetSocketAddress.createUnresolved("10.0.0.1", 90))
                            .id())
                    .isEqualTo("10.0.0.1:90");
            InetAddress named = InetAddress.getByAddress("Catalog.Internal", new byte[] {10, 0, 0, 1});
            assertThat(Endpoint.of(new InetSocketAddress(named, 90)).id()).isEqualTo("catalog.internal:90");
            assertThat(Endpoint.of(InetSocketAddress.createUnresolved("catalog.internal", 90))
                            .id())
                    .isEqualTo("catalog.internal:90");
        }

        @ParameterizedTest
        @CsvSource({
            "::1, [::1]:80",
            "0:0:0:0:0:0:0:1, [::1]:80",
            "0000:0000::0001, [::1]:80",
            "::, [::]:80",
            "2001:DB8:0:0:1:0:0:1, [2001:db8::1:0:0:1]:80",
            "2001:db8:0:1:1:1:1:1, [2001:db8:0:1:1:1:1:1]:80",
            "2001:0:0:1:0:0:0:1, [2001:0:0:1::1]:80",
            "fe80::, [fe80::]:80",
            "::ffff:10.0.0.1, 10.0.0.1:80",
            "::ffff:0a00:1, 10.0.0.1:80",
            "fe80::1%eth0, [fe80::1%eth0]:80",
            "FE80:0::1%no-such-interface, [fe80::1%no-such-interface]:80",
            "localhost, localhost:80",
        })
        void are_in_the_form_of_rfc_5952(String host, String id) {
            assertThat(Endpoint.of(InetSocketAddress.createUnresolved(host, 80)).id())
                    .isEqualTo(id);
        }
    }

    @Test
    void other_addresses_are_known_by_their_text() {
        assertThat(Endpoint.of(URI.create("http://a:1/x")).id()).isEqualTo("http://a:1/x");
    }

    @Nested
    class Sources {
        private final List<List<? extends Endpoint<?>>> heard = new ArrayList<>();

        @Test
        void a_fixed_source_tells_once() {
            EndpointSource.ofAddresses(List.of("a", "b")).subscribe(heard::add).close();
            assertThat(heard).containsExactly(List.of(Endpoint.of("a"), Endpoint.of("b")));
        }

        @Test
        void an_updatable_source_tells_at_once_and_at_every_change_until_it_is_closed() {
            UpdatableEndpoints<String> source = EndpointSource.updatable(List.of());
            EndpointSource.Subscription subscription = source.subscribe(heard::add);
            source.set(List.of(Endpoint.of("a")));
            subscription.close();
            subscription.close();
            source.set(List.of(Endpoint.of("b")));
            assertThat(heard).containsExactly(List.of(), List.of(Endpoint.of("a")));
            assertThat(source.endpoints()).containsExactly(Endpoint.of("b"));
            assertThat(source).hasToString("updatable [Endpoint[id=b, address=b, weight=1.0, priority=0, labels={}]]");
        }

        @Test
        void a_mapped_source_keeps_ids_and_weights() {
            UpdatableEndpoints<String> source = EndpointSource.updatable(List.of(Endpoint.of("a", 2)));
            source.map(name -> URI.create("http://" + name)).subscribe(heard::add);
            source.set(List.of(Endpoint.of("b", 0)));
            assertThat(heard)
                    .containsExactly(
                            List.of(new Endpoint<>("a", URI.create("http://a"), 2)),
                            List.of(new Endpoint<>("b", URI.create("http://b"), 0)));
        }

        @Test
        void a_receiver_that_throws_keeps_no_other_from_hearing() {
            UpdatableEndpoints<String> source = EndpointSource.updatable(List.of());
            source.subscribe(endpoints -> {
                if (!endpoints.isEmpty()) {
                    throw new IllegalStateException("no");
                }
            });
            source.subscribe(heard::add);
            assertThatThrownBy(() -> source.set(List.of(Endpoint.of("a")))).hasMessage("no");
            source.set(List.of());
            assertThat(heard).containsExactly(List.of(), List.of(Endpoint.of("a")), List.of());
        }

        @Test
        void a_receiver_that_sets_while_it_is_told_is_told_once_more() {
            UpdatableEndpoints<String> source = EndpointSource.updatable(List.of());
            source.subscribe(endpoints -> {
                heard.add(endpoints);
                if (endpoints.size() == 1) {
                    source.set(List.of(Endpoint.of("b"), Endpoint.of("c")));
                    assertThat(heard).hasSize(2);
                }
            });
            source.set(List.of(Endpoint.of("a")));
            assertThat(heard).hasSize(3).last().isEqualTo(List.of(Endpoint.of("b"), Endpoint.of("c")));
        }

        @Test
        void a_receiver_that_throws_when_it_subscribes_is_not_told_again() {
            UpdatableEndpoints<String> source = EndpointSource.updatable(List.of());
            assertThatThrownBy(() -> source.subscribe(endpoints -> {
                        heard.add(endpoints);
                        throw new IllegalStateException("no");
                    }))
                    .hasMessage("no");
            source.set(List.of());
            assertThat(heard).hasSize(1);
        }
    }
}
