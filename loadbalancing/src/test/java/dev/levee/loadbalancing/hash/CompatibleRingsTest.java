package dev.levee.loadbalancing.hash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import net.jqwik.api.Group;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@SuppressWarnings("ClassCanBeStatic") // groups of jqwik must not be
class CompatibleRingsTest {
    private static List<Member> hosts(int first, double... weights) {
        return IntStream.range(0, weights.length)
                .mapToObj(i -> new Member("127.0.0.1:" + (first + i), weights[i]))
                .toList();
    }

    private static String ownerOf(HashRing ring, String hash) {
        return ring.members()
                .get(ring.indexOfHash(Long.parseUnsignedLong(hash)))
                .id();
    }

    /** How often each member comes up at points that are evenly spread, as Envoy's tests count. */
    private static int[] counts(HashRing ring, int samples) {
        int[] counts = new int[ring.members().size()];
        long step = Long.divideUnsigned(-1L, samples);
        for (int i = 0; i < samples; i++) {
            counts[ring.indexOfHash(i * step)]++;
        }
        return counts;
    }

    /** The rings that Envoy's own tests expect. */
    @Nested
    class OfEnvoy {
        @Test
        void the_basic_ring() {
            HashRing ring = HashRing.envoy(hosts(90, 1, 1, 1, 1, 1, 1), 12, HashRing.ENVOY_MAX);
            assertThat(ring.points()).isEqualTo(12);
            assertThat(ring.indexOfHash(0)).isEqualTo(4);
            assertThat(ring.indexOfHash(-1)).isEqualTo(4);
            assertThat(ring.indexOfHash(3551244743356806947L)).isEqualTo(5);
            assertThat(ring.indexOfHash(3551244743356806948L)).isEqualTo(3);
            assertThat(ring.indexOfHash(Long.parseUnsignedLong("16117243373044804880")))
                    .isZero();
            assertThat(ring.indexOfHash(0, index -> index != 4)).isEqualTo(2); // the second try of its test
            assertThat(ring.replicas(0, 3)).containsExactly(4, 2, 0); // and the third
        }

        @Test
        void the_ring_by_host_names() {
            List<Member> names = IntStream.range(90, 96)
                    .mapToObj(name -> Member.of(Integer.toString(name)))
                    .toList();
            HashRing ring = HashRing.envoy(names, 12, HashRing.ENVOY_MAX);
            String[] points = {
                "95 1975508444536362413",
                "95 2376063919839173711",
                "93 2386806903309390596",
                "94 6749904478991551885",
                "93 6803900775736438537",
                "92 7225015537174310577",
                "90 8787465352164086522",
                "92 11282020843382717940",
                "91 13723418369486627818",
                "90 13776502110861797421",
                "91 14338313586354474791",
                "94 15364271037087512980"
            };
            for (String point : points) {
                assertThat(ownerOf(ring, point.substring(3))).isEqualTo(point.substring(0, 2));
            }
            assertThat(ring.points()).isEqualTo(points.length);
        }

        @Test
        void hosts_that_do_not_fill_the_minimum_get_a_whole_number_of_points_each() {
            HashRing ring = HashRing.envoy(hosts(80, 1, 1), 3, HashRing.ENVOY_MAX);
            assertThat(ring.points()).isEqualTo(4);
            assertThat(ownerOf(ring, "5454692015285649509")).isEqualTo("127.0.0.1:80");
            assertThat(ownerOf(ring, "5454692015285649510")).isEqualTo("127.0.0.1:81");
            assertThat(ownerOf(ring, "7859399908942313493")).isEqualTo("127.0.0.1:81");
            assertThat(ownerOf(ring, "13838424394637650569")).isEqualTo("127.0.0.1:80");
            assertThat(ownerOf(ring, "16064866803292627174")).isEqualTo("127.0.0.1:81");
            assertThat(ownerOf(ring, "16064866803292627175")).isEqualTo("127.0.0.1:80");
        }

        @Test
        void weighted_hosts_on_a_tiny_ring() {
            HashRing ring = HashRing.envoy(hosts(90, 1, 2, 3), 6, 6);
            assertThat(ring.points()).isEqualTo(6);
            Map.of(
                            "928266305478181108", 92,
                            "4443673547860492590", 92,
                            "5583722120771150861", 91,
                            "6311230543546372928", 91,
                            "13444792449719432967", 92,
                            "16117243373044804889", 90)
                    .forEach((point, port) -> assertThat(ownerOf(ring, point)).isEqualTo("127.0.0.1:" + port));
        }

        @Test
        void weighted_hosts_with_a_scale_that_is_not_whole() {
            HashRing ring = HashRing.envoy(hosts(90, 1, 2, 2, 4), 9, 9);
            Map.of(
                            "928266305478181108", 92,
                            "3851675632748031481", 93,
                            "5583722120771150861", 91,
                            "6311230543546372928", 91,
                            "7700377290971790572", 93,
                            "12559126875973811811", 93,
                            "13444792449719432967", 92,
                            "13784988426630141778", 93,
                            "16117243373044804889", 90)
                    .forEach((point, port) -> assertThat(ownerOf(ring, point)).isEqualTo("127.0.0.1:" + port));
            assertThat(ring.points()).isEqualTo(9);
        }

        @Test
        void large_rings() {
            HashRing ring = HashRing.envoy(hosts(90, 1, 2, 3), 6144, HashRing.ENVOY_MAX);
            assertThat(ring.points()).isEqualTo(6144);
            assertThat(counts(ring, 6000)).containsExactly(987, 1932, 3081);
            ring = HashRing.envoy(hosts(90, 1, 2, 2, 4), 9216, HashRing.ENVOY_MAX);
            assertThat(ring.points()).isEqualTo(9216);
            assertThat(counts(ring, 9000)).containsExactly(924, 2009, 2053, 4014);
        }

        @Test
        void rings_whose_size_the_hosts_do_not_divide() {
            HashRing large = HashRing.envoy(hosts(90, 1, 1), 1023, 1023);
            assertThat(large.points()).isEqualTo(1023);
            assertThat(counts(large, 1023)).containsExactly(526, 497);
            HashRing small = HashRing.envoy(hosts(90, 1, 1, 1, 1), 2, 2);
            assertThat(small.points()).isEqualTo(2);
            assertThat(Arrays.stream(counts(small, 1024)).filter(count -> count == 0))
                    .hasSize(2);
        }

        /** As in its test of lopsided weights, but in the order of ids: every 128th light host has a point. */
        @Test
        void a_heavy_host_among_a_thousand_light_ones() {
            List<Member> members = new ArrayList<>();
            for (int i = 0; i < 1024; i++) {
                members.add(new Member("127.0.0.1:%04d".formatted(i), i == 0 ? 127.0 * 1023 : 1));
            }
            HashRing ring = HashRing.envoy(members, 1024, 1024);
            assertThat(ring.points()).isEqualTo(1024);
            int[] owned = new int[1024];
            for (int k = 0; k < 1016; k++) {
                owned[ring.indexOfHash(XxHash64.hash("127.0.0.1:0000_" + k))]++;
            }
            assertThat(owned[0]).isEqualTo(1016);
            for (int i = 1; i < 1024; i += 128) {
                int host = i == 1 ? 1 : i - 1;
                assertThat(ring.indexOfHash(XxHash64.hash("127.0.0.1:%04d_0".formatted(host))))
                        .isEqualTo(host);
            }
        }

        @Test
        void the_default_sizes_are_envoys() {
            assertThat(HashRing.envoy(hosts(90, 1, 1, 1)).points()).isEqualTo(1026);
            assertThat(HashRing.envoy(hosts(90, 1))).hasToString("Envoy ring of 1 members with 1024 points");
            assertThat(HashRing.envoy(List.of()).indexOf("x")).isEqualTo(-1);
            assertThatThrownBy(() -> HashRing.envoy(hosts(90, 1), 20, 10))
                    .hasMessage("max must be from 20 to 8388608, but was 10");
        }
    }

    @Nested
    class OfKetama {
        private List<Member> servers(int count) {
            return IntStream.rangeClosed(1, count)
                    .mapToObj(i -> Member.of("10.0.1." + i + ":11211"))
                    .toList();
        }

        @Test
        void a_digest_gives_four_points() {
            HashRing ring = HashRing.ketama(servers(2));
            assertThat(ring.points()).isEqualTo(320);
            for (long point : new long[] {2431485715L, 4123933443L, 100894374L, 2720740989L}) {
                assertThat(ring.indexOfHash(point)).isZero();
            }
            assertThat(HashRing.ketamaHash("foo")).isEqualTo(3675831724L);
        }

        /** Keys beside the last number of the address of the server, by libketama's own program. */
        @ParameterizedTest
        @ValueSource(
                strings = {
                    "0 1", "233 7", "466 3", "699 1", "932 6", "1165 2", "1398 1", "1631 6", "1864 5", "2097 3",
                    "2330 7", "2563 3", "2796 6", "3029 1", "3262 2", "3495 3", "3728 8", "3961 4", "4194 4", "4427 3",
                    "4660 4", "4893 7", "5126 4", "5359 2", "5592 2", "5825 3", "6058 2", "6291 7", "6524 5", "6757 5",
                    "32154 8", "42173 8", "50794 7", "61978 8", "72929 4", "83880 2", "94132 2", "103685 2", "117898 6"
                })
        void eight_servers_own_what_they_own_in_libketama(String expected) {
            int space = expected.indexOf(' ');
            String server = "10.0.1." + expected.substring(space + 1) + ":11211";
            HashRing ring = HashRing.ketama(servers(8));
            assertThat(ring.members()
                            .get(ring.indexOf(expected.substring(0, space)))
                            .id())
                    .isEqualTo(server);
        }

        /** From the tests of spymemcached; the last three keys are behind the last point. */
        @ParameterizedTest
        @CsvSource({
            "4, dustin, 0",
            "4, noelani, 2",
            "4, some other key, 0",
            "5, dustin, 0",
            "5, noelani, 2",
            "5, some other key, 4",
            "5, 36, 2",
            "5, 10037, 3",
            "5, 22051, 1",
            "5, 49044, 4",
            "4, V5XS8C8N, 3",
            "4, 8KR2DKR2, 3",
            "4, L9KH6X4X, 3"
        })
        void keys_are_where_other_clients_look_for_them(int servers, String key, int owner) {
            double[] weights = new double[servers];
            Arrays.fill(weights, 1);
            HashRing ring = HashRing.ketama(hosts(10000, weights));
            assertThat(ring.indexOf(key)).isEqualTo(owner);
            assertThat(ring.indexOf(key.getBytes(StandardCharsets.UTF_8))).isEqualTo(owner);
            assertThat(ring.indexOf(CharBuffer.wrap(key))).isEqualTo(owner);
        }

        @Test
        void the_last_point_of_four_servers_is_where_spymemcached_expects_it() {
            HashRing ring = HashRing.ketama(hosts(10000, 1, 1, 1, 1));
            int last = ring.indexOfHash(4294887009L);
            int first = ring.indexOfHash(0);
            assertThat(first).isEqualTo(3);
            assertThat(ring.indexOfHash(4294887010L)).isEqualTo(first);
            assertThat(ring.indexOfHash(4294887009L)).isEqualTo(last);
        }

        @Test
        void weights_give_a_share_of_the_digests_rounded_down() {
            // 600 + 300 + 200 + 350 + 1000 + 800 + 950 + 100 = 4300: 44, 22, 14, 26, 74, 59, 70 and 7 of 320 digests
            double[] weights = {600, 300, 200, 350, 1000, 800, 950, 100};
            List<Member> members = IntStream.range(0, 8)
                    .mapToObj(i -> new Member("10.0.1." + (i + 1) + ":11211", weights[i]))
                    .toList();
            assertThat(HashRing.ketama(members).points()).isEqualTo(4 * (44 + 22 + 14 + 26 + 74 + 59 + 70 + 7));
        }

        @ParameterizedTest
        @ValueSource(ints = {1, 2, 3, 7, 61, 122, 948})
        void equal_servers_have_160_points_each_however_many_they_are(int count) {
            assertThat(HashRing.ketama(IntStream.range(0, count)
                                    .mapToObj(i -> Member.of("s" + i))
                                    .toList())
                            .points())
                    .isEqualTo(160 * count);
        }

        @Test
        void only_the_lower_half_of_a_hash_counts() {
            HashRing ring = HashRing.ketama(servers(5));
            for (int i = 0; i < 200; i++) {
                long hash = XxHash64.hash((long) i);
                assertThat(ring.indexOfHash(hash)).isEqualTo(ring.indexOfHash(hash & 0xFFFFFFFFL));
            }
        }

        @Test
        void texts_hash_as_their_utf_8_bytes() {
            for (String text :
                    List.of("", "a", "\u00fcber", "\ud83d\ude00", "\u65e5\u672c", "x\ud83dy", "k".repeat(200))) {
                assertThat(HashRing.ketamaHash(text)).isEqualTo(Md5.of(text.getBytes(StandardCharsets.UTF_8)));
            }
        }
    }

    @Group
    class EnvoyContract extends ConsistentHashContract {
        @Override
        ConsistentHash over(List<Member> members) {
            return HashRing.envoy(members, 4096, HashRing.ENVOY_MAX);
        }

        @Override
        boolean movesNoMoreThanItMust() {
            return false;
        }
    }

    @Group
    class KetamaContract extends ConsistentHashContract {
        @Override
        ConsistentHash over(List<Member> members) {
            return HashRing.ketama(members);
        }

        @Override
        boolean movesNoMoreThanItMust() {
            return false; // with weights, since they are shares of all
        }

        @Override
        double tolerance() {
            return 0.25;
        }
    }

    @Group
    class OwnContract extends ConsistentHashContract {
        @Override
        ConsistentHash over(List<Member> members) {
            return HashRing.of(members, 1000);
        }
    }

    /**
     * Standard deviation and greatest share of a hundred members, by the number of points; from the paper of jump hash
     * and a re-run.
     */
    @ParameterizedTest
    @CsvSource({"1, 0.979, 0.25", "10, 0.315, 0.06", "100, 0.0997, 0.02", "160, 0.077, 0.015", "1000, 0.0316, 0.006"})
    void more_points_make_shares_more_even(int points, double deviation, double tolerance) {
        double sum = 0;
        int rounds = 5;
        for (int round = 0; round < rounds; round++) {
            String prefix = "round " + round + " node ";
            HashRing ring = HashRing.of(
                    IntStream.range(0, 100).mapToObj(i -> Member.of(prefix + i)).toList(), points);
            double variance = Arrays.stream(ConsistentHashContract.shares(ring))
                            .map(share -> (100 * share - 1) * (100 * share - 1))
                            .sum()
                    / 99;
            sum += Math.sqrt(Math.max(0, variance - 100 / 2e5)); // less what the sample adds
        }
        assertThat(sum / rounds).isBetween(deviation - tolerance, deviation + tolerance);
    }
}
