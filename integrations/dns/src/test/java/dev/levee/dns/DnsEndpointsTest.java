package dev.levee.dns;

import static dev.levee.dns.ScriptedDns.a;
import static dev.levee.dns.ScriptedDns.cname;
import static dev.levee.dns.ScriptedDns.srv;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Environment;
import dev.levee.core.testing.ManualTime;
import dev.levee.core.testing.RecordingListener;
import dev.levee.dns.DnsConfig.Family;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.NoEndpointException;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

/** What a look-up makes of the answers of DNS, and when the next one comes. */
class DnsEndpointsTest {
    private static final String HOST = "catalog.internal";
    private static final String SERVICE = "_http._tcp.catalog.internal";

    private final ManualTime time = new ManualTime();
    private final RecordingListener listener = new RecordingListener();
    private final Environment environment =
            time.environment().toBuilder().listener(listener).build();
    private final ScriptedDns dns = new ScriptedDns();
    private final Published<InetSocketAddress> published = new Published<>();
    private List<InetAddress> ownList = List.of();

    private EndpointSource<InetSocketAddress> host(Consumer<DnsConfig.Builder> settings) {
        DnsConfig.Builder builder = DnsConfig.builder();
        settings.accept(builder);
        return DnsSource.addresses(HOST, 80, builder.build(), environment, dns::service, name -> ownList);
    }

    private EndpointSource<InetSocketAddress> host() {
        return host(config -> {});
    }

    private EndpointSource<InetSocketAddress> service() {
        return DnsSource.targets(SERVICE, DnsConfig.builder().build(), environment, dns::service);
    }

    @Nested
    class TimeToLive {

        @Test
        void is_honoured() {
            dns.has(HOST, a(HOST, 30, "10.0.0.1"));
            host().subscribe(published);
            dns.has(HOST, a(HOST, 30, "10.0.0.2"));
            time.advance(ofMillis(29_999));
            assertThat(dns.asked).hasSize(1);
            time.advance(ofMillis(3_001));
            assertThat(published.lines()).containsExactly("10.0.0.1:80", "10.0.0.2:80");
        }

        @Test
        void is_the_shortest_of_all_records_and_aliases() {
            dns.has(
                    HOST,
                    cname(HOST, 60, "pool.internal"),
                    cname("pool.internal", 7, "pool-2.internal"),
                    a("pool-2.internal", 100, "10.0.0.1"),
                    a("pool-2.internal", 90, "10.0.0.2"));
            host().subscribe(published);
            time.advance(ofMillis(6_999));
            assertThat(dns.asked).hasSize(1);
            time.advance(ofMillis(701));
            assertThat(dns.asked).hasSize(2);
            assertThat(published.lines()).containsExactly("10.0.0.1:80 10.0.0.2:80");
        }

        @Test
        void of_nothing_is_a_second() {
            dns.has(HOST, a(HOST, 0, "10.0.0.1"));
            host().subscribe(published);
            time.advance(ofSeconds(100));
            assertThat(dns.asked.size()).isBetween(90, 101);
        }

        @Test
        void of_years_is_five_minutes() {
            dns.has(HOST, a(HOST, Integer.MAX_VALUE, "10.0.0.1"));
            host().subscribe(published);
            time.advance(ofMillis(299_999));
            assertThat(dns.asked).hasSize(1);
            time.advance(ofSeconds(31));
            assertThat(dns.asked).hasSize(2);
        }

        @Test
        void is_not_waited_for_when_the_endpoints_do_not_work() {
            dns.has(HOST, a(HOST, 20, "10.0.0.1"));
            EndpointSource.Subscription subscription = host().subscribe(published);
            dns.has(HOST, a(HOST, 20, "10.0.0.2"));
            subscription.refresh();
            time.advance(ofSeconds(2));
            assertThat(dns.asked).hasSize(2);
            assertThat(published.lines()).containsExactly("10.0.0.1:80", "10.0.0.2:80");
            time.advance(ofSeconds(17));
            assertThat(dns.asked).as("the new TTL counts").hasSize(2);
        }

        @Test
        void has_bounds_that_can_be_set() {
            dns.has(HOST, a(HOST, 1, "10.0.0.1"));
            host(config -> config.minTtl(ofSeconds(20)).maxTtl(ofSeconds(20))).subscribe(published);
            time.advance(ofSeconds(19));
            assertThat(dns.asked).hasSize(1);
            time.advance(ofSeconds(3));
            assertThat(dns.asked).hasSize(2);
        }

        @Test
        void clients_do_not_ask_in_step() {
            List<Long> moments = new ArrayList<>();
            dns.has(HOST, a(HOST, 100, "10.0.0.1"));
            for (int i = 0; i < 20; i++) {
                ManualTime own = new ManualTime().seed(i * 0x9E3779B97F4A7C15L);
                DnsExchange noting = (query, deadline) -> {
                    moments.add(own.elapsed().toMillis());
                    return dns.send(query, deadline);
                };
                DnsSource.addresses(
                                HOST,
                                80,
                                DnsConfig.builder().build(),
                                own.environment(),
                                () -> new NameService(dns.settings(), noting),
                                name -> List.of())
                        .subscribe(endpoints -> {});
                own.advance(ofSeconds(110));
            }
            assertThat(moments).hasSize(40);
            assertThat(moments.stream().distinct().count()).isGreaterThan(15);
        }
    }

    @Nested
    class Failures {

        @Test
        void a_failed_look_up_changes_nothing_and_is_reported_once() {
            dns.has(HOST, a(HOST, 10, "10.0.0.1"));
            host().subscribe(published);
            dns.fails(HOST);
            time.advance(ofMinutes(5));
            dns.works(HOST);
            time.advance(ofMinutes(1));
            assertThat(published.lines()).containsExactly("10.0.0.1:80");
            assertThat(listener.events())
                    .containsExactly(
                            "source dns catalog.internal:80 UNKNOWN->FRESH",
                            "source dns catalog.internal:80 FRESH->STALE",
                            "source dns catalog.internal:80 STALE->FRESH");
        }

        @Test
        void a_name_that_is_gone_changes_nothing() {
            dns.has(HOST, a(HOST, 10, "10.0.0.1"));
            host().subscribe(published);
            dns.gone(HOST);
            time.advance(ofMinutes(5));
            dns.has(HOST); // there is such a name again, and nothing behind it
            time.advance(ofMinutes(5));
            assertThat(published.lines()).containsExactly("10.0.0.1:80");
            assertThat(listener.count("STALE")).isEqualTo(1);
        }

        @Test
        void are_tried_again_ever_more_seldom_to_30_s() {
            dns.fails(HOST);
            host().subscribe(published);
            List<Long> waits = new ArrayList<>();
            int before = dns.asked.size();
            long last = 0;
            while (waits.size() < 8) {
                time.advance(ofMillis(10));
                if (dns.asked.size() > before) {
                    waits.add(time.elapsed().toMillis() - last);
                    last = time.elapsed().toMillis();
                    before = dns.asked.size();
                }
            }
            long[] least = {1, 2, 4, 8, 16, 30, 30, 30};
            for (int i = 0; i < least.length; i++) {
                assertThat(waits.get(i)).isBetween(least[i] * 1000 - 10, least[i] * 1500 + 10);
            }
        }

        @Test
        void a_first_look_up_that_fails_leaves_none_and_goes_on() {
            dns.fails(HOST);
            LoadBalancer<InetSocketAddress> balancer =
                    LoadBalancer.of("nodes", BalancingStrategy.roundRobin(), host(), config -> {}, environment);
            assertThatThrownBy(balancer::pick).isInstanceOf(NoEndpointException.class);
            dns.works(HOST).has(HOST, a(HOST, 10, "10.0.0.1"));
            time.advance(ofSeconds(2));
            assertThat(balancer.pick().endpoint().id()).isEqualTo("10.0.0.1:80");
            assertThat(listener.events())
                    .containsSubsequence(
                            "source dns catalog.internal:80 UNKNOWN->EMPTY",
                            "source dns catalog.internal:80 EMPTY->FRESH");
        }
    }

    @Nested
    class Names {

        @Test
        void addresses_are_known_by_their_numbers_and_carry_no_host_name() {
            dns.has(HOST, a(HOST, 10, "10.0.0.1"), a(HOST, 10, "10.0.0.2"), a(HOST, 10, "10.0.0.1"));
            Published<URI> uris = new Published<>();
            host().map(it -> URI.create("http://" + it.getHostString() + ":" + it.getPort()))
                    .subscribe(uris);
            assertThat(uris.lines()).containsExactly("10.0.0.1:80 10.0.0.2:80");
            assertThat(uris.last().get(0).address()).isEqualTo(URI.create("http://10.0.0.1:80"));
        }

        @Test
        void another_order_is_no_change() {
            dns.has(HOST, a(HOST, 10, "10.0.0.1"), a(HOST, 10, "10.0.0.2"));
            host().subscribe(published);
            dns.has(HOST, a(HOST, 10, "10.0.0.2"), a(HOST, 10, "10.0.0.1"));
            time.advance(ofSeconds(100));
            assertThat(published.sets).hasSize(1);
        }

        @Test
        void aliases_are_followed_where_the_server_does_not() {
            dns.has(HOST, cname(HOST, 10, "pool.internal"));
            dns.has("pool.internal", cname("pool.internal", 10, "pool.elsewhere"));
            dns.has("pool.elsewhere", a("pool.elsewhere", 10, "10.0.0.7"));
            host().subscribe(published);
            assertThat(published.lines()).containsExactly("10.0.0.7:80");
        }

        @Test
        void aliases_that_go_round_are_a_failure() {
            dns.has(HOST, cname(HOST, 10, "b"), cname("b", 10, HOST));
            host().subscribe(published);
            dns.has(HOST, cname(HOST, 10, HOST));
            time.advance(ofSeconds(3));
            dns.has(HOST, cname(HOST, 10, "b"));
            dns.has("b", cname("b", 10, HOST));
            time.advance(ofMinutes(2));
            assertThat(published.sets).isEmpty();
            assertThat(dns.asked).hasSizeLessThan(30);
        }

        @Test
        void a_long_row_of_aliases_comes_to_an_end() {
            dns.has(HOST, cname(HOST, 10, "c0"));
            for (int i = 0; i < 100; i++) {
                dns.has("c" + i, cname("c" + i, 10, "c" + (i + 1)));
            }
            host().subscribe(published);
            assertThat(published.sets).isEmpty();
            assertThat(dns.asked).hasSizeLessThan(20);
        }

        @Test
        void an_alias_to_what_is_no_name_is_a_failure() {
            dns.has(HOST, cname(HOST, 10, "a\\032b"));
            host().subscribe(published);
            dns.has(HOST, cname(HOST, 10, ""));
            time.advance(ofSeconds(3));
            assertThat(published.sets).isEmpty();
            assertThat(listener.events()).containsExactly("source dns catalog.internal:80 UNKNOWN->EMPTY");
        }

        @Test
        void records_of_other_names_are_no_answer() {
            dns.has(HOST, a("elsewhere", 10, "10.0.0.66"));
            host().subscribe(published);
            assertThat(published.sets).isEmpty();
        }

        @Test
        void a_short_name_goes_through_the_search_list() {
            dns.search = List.of("ns.svc.cluster.local", "svc.cluster.local");
            dns.dots = 5;
            dns.has("catalog.internal.svc.cluster.local", a("catalog.internal.svc.cluster.local", 5, "10.0.0.1"));
            host(config -> config.family(Family.IPV4)).subscribe(published);
            assertThat(published.lines()).containsExactly("10.0.0.1:80");
            assertThat(dns.asked)
                    .containsExactly("catalog.internal.ns.svc.cluster.local A", "catalog.internal.svc.cluster.local A");
        }

        @Test
        void silence_does_not_lead_on_to_the_next_suffix() {
            dns.search = List.of("first", "second");
            dns.dots = 5;
            dns.fails("catalog.internal.first");
            dns.has("catalog.internal.second", a("catalog.internal.second", 5, "10.0.0.66"));
            host().subscribe(published);
            assertThat(published.sets).isEmpty();
            assertThat(dns.asked).containsExactly("catalog.internal.first A", HOST + " A", HOST + " AAAA");
        }

        @Test
        void after_silence_the_name_as_it_is_is_still_tried() {
            dns.search = List.of("first", "second");
            dns.dots = 5;
            dns.fails("catalog.internal.first").has(HOST, a(HOST, 5, "10.0.0.1"));
            host().subscribe(published);
            assertThat(published.lines()).containsExactly("10.0.0.1:80");
        }

        @Test
        void a_suffix_whose_server_fails_leads_on_to_the_next_name() {
            dns.search = List.of("first", "second");
            dns.dots = 5;
            dns.servfails("catalog.internal.first");
            dns.has("catalog.internal.second", a("catalog.internal.second", 5, "10.0.0.1"));
            host().subscribe(published);
            time.advance(ofMinutes(1));
            assertThat(published.lines()).containsExactly("10.0.0.1:80");
            assertThat(listener.events()).containsExactly("source dns catalog.internal:80 UNKNOWN->FRESH");
        }

        @Test
        void a_service_goes_through_the_search_list_too() {
            dns.search = List.of("first", "second");
            dns.dots = 9;
            dns.servfails(SERVICE + ".first");
            dns.has(SERVICE + ".second", srv(SERVICE + ".second", 5, 0, 1, 80, "one"));
            dns.has("one", a("one", 5, "10.0.0.1"));
            service().subscribe(published);
            assertThat(published.last()).extracting(Endpoint::id).containsExactly("10.0.0.1:80");
        }

        @Test
        void a_suffix_that_was_good_keeps_its_answer_when_its_server_fails() {
            dns.search = List.of("first", "second");
            dns.dots = 5;
            dns.has("catalog.internal.first", a("catalog.internal.first", 5, "10.0.0.1"));
            dns.has("catalog.internal.second", a("catalog.internal.second", 5, "10.0.0.66"));
            host().subscribe(published);
            dns.servfails("catalog.internal.first");
            time.advance(ofMinutes(1));
            assertThat(published.lines()).containsExactly("10.0.0.1:80");
            assertThat(listener.count("STALE")).isEqualTo(1);
        }

        @Test
        void when_all_names_fail_the_first_failure_is_the_reason() {
            dns.search = List.of("first");
            dns.dots = 5;
            dns.servfails("catalog.internal.first");
            EndpointLookup lookup = new EndpointLookup(
                    HOST, 80, DnsConfig.builder().build(), dns::service, name -> List.of(), environment.clock());
            assertThatThrownBy(lookup::call)
                    .isInstanceOf(ServerFailureException.class)
                    .hasMessageContaining("SERVFAIL");
        }

        @Test
        void the_machines_own_list_comes_first() {
            ownList = List.of(DnsNames.literal("::1"), DnsNames.literal("10.9.9.9"));
            host().subscribe(published);
            assertThat(published.lines()).containsExactly("10.9.9.9:80");
            assertThat(dns.asked).isEmpty();
            ownList = List.of();
            dns.has(HOST, a(HOST, 5, "10.0.0.1"));
            time.advance(ofSeconds(34));
            assertThat(published.lines()).containsExactly("10.9.9.9:80", "10.0.0.1:80");
        }

        @Test
        void a_number_and_localhost_are_not_looked_up() {
            for (String host : List.of("10.1.2.3", "::1", "localhost", "LocalHost.", "a.localhost")) {
                DnsSource.addresses(host, 80, DnsConfig.builder().build(), environment, dns::service, name -> List.of())
                        .subscribe(published);
            }
            assertThat(published.lines())
                    .containsExactly("10.1.2.3:80", "[::1]:80", "127.0.0.1:80", "127.0.0.1:80", "127.0.0.1:80");
            assertThat(dns.asked).isEmpty();
            assertThat(time.pendingTimers()).isZero();
        }

        @ParameterizedTest
        @ValueSource(strings = {"", ".", "a..b", ".a", "a b", "a/b", "-\u0000", "x:y"})
        void what_is_no_name_is_refused(String name) {
            assertThatThrownBy(() -> DnsEndpoints.of(name, 80)).isInstanceOf(IllegalArgumentException.class);
        }

        @Test
        void names_that_are_too_long_are_refused_and_others_become_ASCII() {
            assertThatThrownBy(() -> DnsNames.ascii("a".repeat(64))).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> DnsNames.ascii("a.".repeat(128))).isInstanceOf(IllegalArgumentException.class);
            assertThat(DnsNames.ascii("B\u00fccher.Example.")).isEqualTo("xn--bcher-kva.example");
        }

        @Test
        void a_port_outside_is_refused() {
            assertThatThrownBy(() -> DnsEndpoints.of("a", 0)).hasMessageContaining("port must be from 1 to 65535");
        }
    }

    @Nested
    class Families {
        private final Record four = a(HOST, 10, "10.0.0.4");
        private final Record six = a(HOST, 10, "2001:db8::6");

        private List<String> with(Family family) {
            Published<InetSocketAddress> own = new Published<>();
            host(config -> config.family(family)).subscribe(own).close();
            return own.lines();
        }

        @Test
        void of_a_host_with_both() {
            dns.has(HOST, six, four);
            assertThat(with(Family.IPV4)).containsExactly("10.0.0.4:80");
            assertThat(with(Family.IPV6)).containsExactly("[2001:db8::6]:80");
            assertThat(with(Family.PREFER_IPV4)).containsExactly("10.0.0.4:80");
            assertThat(with(Family.PREFER_IPV6)).containsExactly("[2001:db8::6]:80");
            assertThat(with(Family.BOTH)).containsExactly("10.0.0.4:80 [2001:db8::6]:80");
        }

        @Test
        void of_a_host_with_one() {
            dns.has(HOST, six);
            assertThat(with(Family.IPV4)).isEmpty();
            assertThat(with(Family.PREFER_IPV4)).containsExactly("[2001:db8::6]:80");
            assertThat(with(Family.BOTH)).containsExactly("[2001:db8::6]:80");
        }

        @Test
        void a_failure_of_the_preferred_one_does_not_lead_to_the_other() {
            dns.has(HOST, six, four).fails(HOST + " A");
            assertThat(with(Family.PREFER_IPV4)).isEmpty();
        }

        @Test
        void a_preferred_one_that_its_server_cannot_answer_leads_to_the_other_and_is_queried_again_soon() {
            dns.has(HOST, six, four).servfails(HOST + " AAAA");
            host(config -> config.family(Family.PREFER_IPV6)).subscribe(published);
            dns.works(HOST + " AAAA");
            time.advance(ofSeconds(2));
            assertThat(published.lines()).containsExactly("10.0.0.4:80", "[2001:db8::6]:80");
            assertThat(listener.events())
                    .containsExactly(
                            "source dns catalog.internal:80 UNKNOWN->STALE",
                            "source dns catalog.internal:80 STALE->FRESH");
        }

        @Test
        void a_preferred_one_that_was_good_stays_when_its_server_cannot_answer() {
            dns.has(HOST, six, four);
            host().subscribe(published);
            dns.servfails(HOST + " A");
            time.advance(ofMinutes(2));
            assertThat(published.lines()).containsExactly("10.0.0.4:80");
        }

        @Test
        void no_such_name_of_one_leads_to_the_other() {
            DnsExchange broken = (query, deadline) -> {
                Message answer = dns.send(query, deadline);
                if (query.getQuestion().getType() == Type.A) {
                    answer.getHeader().setRcode(Rcode.NXDOMAIN);
                }
                return answer;
            };
            dns.has(HOST, six);
            DnsSource.addresses(
                            HOST,
                            80,
                            DnsConfig.builder().build(),
                            environment,
                            () -> new NameService(dns.settings(), broken),
                            name -> List.of())
                    .subscribe(published);
            assertThat(published.lines()).containsExactly("[2001:db8::6]:80");
        }

        @Test
        void a_failure_of_one_keeps_what_was_known_of_it() {
            dns.has(HOST, six, four);
            host(config -> config.family(Family.BOTH)).subscribe(published);
            dns.has(HOST, six, a(HOST, 10, "10.0.0.5")).fails(HOST + " AAAA");
            time.advance(ofSeconds(11));
            assertThat(published.lines())
                    .containsExactly("10.0.0.4:80 [2001:db8::6]:80", "10.0.0.5:80 [2001:db8::6]:80");
            assertThat(listener.count("STALE")).isEqualTo(1);
        }
    }

    @Nested
    class Services {

        @Test
        void targets_have_port_weight_priority_and_host() {
            dns.has(
                    SERVICE,
                    srv(SERVICE, 10, 0, 5, 8080, "one.internal"),
                    srv(SERVICE, 10, 20, 0, 8081, "two.internal"));
            dns.has("one.internal", a("one.internal", 10, "10.0.0.1"));
            dns.has("two.internal", a("two.internal", 10, "10.0.0.2"));
            service().subscribe(published);
            assertThat(published.lines())
                    .containsExactly("10.0.0.1:8080*5.0{host=one.internal} 10.0.0.2:8081*0.1/20{host=two.internal}");
        }

        @Test
        void the_weight_is_shared_by_the_addresses_of_a_target() {
            dns.has(SERVICE, srv(SERVICE, 10, 0, 10, 80, "one"), srv(SERVICE, 10, 0, 10, 80, "two"));
            dns.has("one", a("one", 10, "10.0.0.1"), a("one", 10, "10.0.0.2"));
            dns.has("two", a("two", 10, "10.0.0.3"));
            service().subscribe(published);
            assertThat(published.lines())
                    .containsExactly("10.0.0.1:80*5.0{host=one} 10.0.0.2:80*5.0{host=one} 10.0.0.3:80*10.0{host=two}");
        }

        @Test
        void priorities_above_ours_become_places() {
            dns.has(SERVICE, srv(SERVICE, 10, 65_535, 1, 80, "one"), srv(SERVICE, 10, 7, 1, 80, "two"));
            dns.has("one", a("one", 10, "10.0.0.1"));
            dns.has("two", a("two", 10, "10.0.0.2"));
            service().subscribe(published);
            assertThat(published.last()).extracting(Endpoint::priority).containsExactly(1, 0);
        }

        @Test
        void what_comes_along_is_not_asked_for() {
            dns.has(SERVICE, srv(SERVICE, 10, 0, 1, 80, "one"), srv(SERVICE, 10, 0, 1, 80, "two"));
            dns.additional.put(SERVICE, List.of(a("one", 10, "10.0.0.1"), a("stranger", 10, "10.0.0.66")));
            dns.has("two", a("two", 10, "10.0.0.2"));
            service().subscribe(published);
            assertThat(dns.asked).containsExactly(SERVICE + " SRV", "two A");
            assertThat(published.last()).hasSize(2);
        }

        @Test
        void each_answer_is_used_for_its_own_time() {
            dns.has(SERVICE, srv(SERVICE, 100, 0, 1, 80, "one"));
            dns.has("one", a("one", 10, "10.0.0.1"));
            service().subscribe(published);
            dns.has("one", a("one", 10, "10.0.0.9"));
            time.advance(ofSeconds(12));
            assertThat(dns.asked).containsExactly(SERVICE + " SRV", "one A", "one A");
            assertThat(published.last().get(0).id()).isEqualTo("10.0.0.9:80");
        }

        @Test
        void the_shortest_time_counts_wherever_it_stands() {
            dns.has(SERVICE, srv(SERVICE, 10, 0, 1, 80, "one"));
            dns.has("one", a("one", 100, "10.0.0.1"));
            service().subscribe(published);
            time.advance(ofSeconds(12));
            assertThat(dns.asked).containsExactly(SERVICE + " SRV", "one A", SERVICE + " SRV");
        }

        @Test
        void a_target_that_cannot_be_looked_up_keeps_its_addresses_and_the_others_go_on() {
            dns.has(SERVICE, srv(SERVICE, 10, 0, 1, 80, "one"), srv(SERVICE, 10, 0, 1, 80, "two"));
            dns.has("one", a("one", 10, "10.0.0.1"));
            dns.has("two", a("two", 10, "10.0.0.2"));
            service().subscribe(published);
            dns.fails("one").has("two", a("two", 10, "10.0.0.3"));
            time.advance(ofSeconds(12));
            assertThat(published.last()).extracting(Endpoint::id).containsExactly("10.0.0.1:80", "10.0.0.3:80");
            assertThat(listener.count("->STALE")).isEqualTo(1);
        }

        @Test
        void a_target_that_never_could_be_looked_up_is_left_out() {
            dns.has(SERVICE, srv(SERVICE, 10, 0, 1, 80, "one"), srv(SERVICE, 10, 0, 1, 80, "two"));
            dns.has("one", a("one", 10, "10.0.0.1")).fails("two");
            service().subscribe(published);
            assertThat(published.last()).extracting(Endpoint::id).containsExactly("10.0.0.1:80");
        }

        @Test
        void none_with_an_address_is_a_failure() {
            dns.has(SERVICE, srv(SERVICE, 10, 0, 1, 80, "one"));
            dns.has("one", a("one", 10, "10.0.0.1"));
            service().subscribe(published);
            dns.has(SERVICE, srv(SERVICE, 10, 0, 0, 0, "")); // "decidedly not available"
            time.advance(ofSeconds(20));
            dns.has(SERVICE, srv(SERVICE, 10, 0, 1, 80, "gone"));
            time.advance(ofMinutes(1));
            assertThat(published.sets).hasSize(1);
            assertThat(listener.count("STALE")).isEqualTo(1);
        }

        @Test
        void an_update_keeps_counters_of_those_that_stay() {
            dns.has(SERVICE, srv(SERVICE, 10, 0, 1, 80, "one"), srv(SERVICE, 10, 0, 1, 80, "two"));
            dns.has("one", a("one", 10, "10.0.0.1"));
            dns.has("two", a("two", 10, "10.0.0.2"));
            LoadBalancer<InetSocketAddress> balancer = LoadBalancer.of(
                    "nodes", BalancingStrategy.leastConnections(), service(), config -> {}, environment);
            balancer.pick();
            balancer.pick();
            dns.has(SERVICE, srv(SERVICE, 10, 0, 1, 80, "two"), srv(SERVICE, 10, 0, 1, 80, "three"));
            dns.has("three", a("three", 10, "10.0.0.3"));
            time.advance(ofSeconds(12));
            assertThat(balancer.snapshot())
                    .extracting(state -> state.endpoint().id() + " " + state.inFlight())
                    .containsExactly("10.0.0.2:80 1", "10.0.0.3:80 0");
        }
    }

    @Nested
    class Configuration {

        @Test
        void all_forms_make_the_same_source() {
            DnsConfig config = DnsConfig.builder().build();
            assertThat(List.of(
                            DnsEndpoints.of(HOST, 80),
                            DnsEndpoints.of(HOST, 80, environment),
                            DnsEndpoints.of(HOST, 80, builder -> builder.family(Family.BOTH)),
                            DnsEndpoints.of(HOST, 80, builder -> builder.family(Family.BOTH), environment),
                            DnsEndpoints.of(HOST, 80, config),
                            DnsEndpoints.of(HOST, 80, config, environment)))
                    .extracting(Object::toString)
                    .containsOnly("dns catalog.internal:80");
            assertThat(List.of(
                            DnsEndpoints.srv(SERVICE),
                            DnsEndpoints.srv(SERVICE, environment),
                            DnsEndpoints.srv(SERVICE, builder -> builder.family(Family.BOTH)),
                            DnsEndpoints.srv(SERVICE, builder -> builder.family(Family.BOTH), environment),
                            DnsEndpoints.srv(SERVICE, config),
                            DnsEndpoints.srv(SERVICE, config, environment)))
                    .extracting(Object::toString)
                    .containsOnly("srv _http._tcp.catalog.internal");
        }

        @Test
        @SuppressWarnings("NullAway") // what NullAway refuses is what is tested
        void null_is_refused_with_the_name() {
            assertThatThrownBy(() -> DnsEndpoints.of(null, 80)).hasMessageContaining("host");
            assertThatThrownBy(() -> DnsEndpoints.of(HOST, 80, (DnsConfig) null))
                    .hasMessageContaining("config");
            assertThatThrownBy(() -> DnsEndpoints.of(HOST, 80, (Consumer<DnsConfig.Builder>) null))
                    .hasMessageContaining("configure");
            assertThatThrownBy(() -> DnsEndpoints.srv(null)).hasMessageContaining("service");
            assertThatThrownBy(
                            () -> DnsEndpoints.srv(SERVICE, DnsConfig.builder().build(), null))
                    .hasMessageContaining("environment");
        }
    }

    @Nested
    class Closing {

        @Test
        void leaves_no_timer_behind_and_others_go_on() {
            dns.has(HOST, a(HOST, 10, "10.0.0.1"));
            EndpointSource<InetSocketAddress> source = host();
            Published<InetSocketAddress> other = new Published<>();
            EndpointSource.Subscription first = source.subscribe(published);
            EndpointSource.Subscription second = source.subscribe(other);
            first.close();
            dns.has(HOST, a(HOST, 10, "10.0.0.2"));
            time.advance(ofSeconds(12));
            assertThat(published.sets).hasSize(1);
            assertThat(other.sets).hasSize(2);
            second.close();
            assertThat(time.pendingTimers()).isZero();
        }
    }

    /** Whatever DNS does: an empty set is never published, and what is in use was good once. */
    @Property(tries = 100)
    void never_an_empty_set(@ForAll long seed) {
        Random random = new Random(seed);
        ScriptedDns own = new ScriptedDns();
        ManualTime moved = new ManualTime();
        Published<InetSocketAddress> seen = new Published<>();
        EndpointSource.Subscription subscription = EndpointSource.merge(
                        DnsSource.addresses(
                                HOST,
                                80,
                                DnsConfig.builder().build(),
                                moved.environment(),
                                own::service,
                                name -> List.of()),
                        DnsSource.targets(SERVICE, DnsConfig.builder().build(), moved.environment(), own::service))
                .subscribe(seen);
        for (int step = 0; step < 60; step++) {
            String name = List.of(HOST, SERVICE, "one", "two").get(random.nextInt(4));
            switch (random.nextInt(6)) {
                case 0 -> own.fails(name);
                case 1 -> own.gone(name);
                case 2 -> own.has(name);
                case 3 -> own.has(name, cname(name, random.nextInt(20), random.nextBoolean() ? "one" : name));
                default -> {
                    own.works(name);
                    int ttl = random.nextInt() >>> random.nextInt(1, 32);
                    own.has(
                            name,
                            a(name, ttl, "10.0.0." + random.nextInt(4)),
                            srv(name, ttl, random.nextInt(1 << 16), random.nextInt(3), random.nextInt(3), "one"),
                            srv(name, ttl, random.nextInt(3), random.nextInt(3), 81, "two"));
                }
            }
            moved.advance(ofSeconds(random.nextInt(40)));
        }
        subscription.close();
        assertThat(seen.sets).noneMatch(List::isEmpty);
        assertThat(moved.pendingTimers()).isZero();
    }
}
