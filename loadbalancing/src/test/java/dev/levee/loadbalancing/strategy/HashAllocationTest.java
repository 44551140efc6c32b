package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.levee.loadbalancing.Balancers;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.hash.ConsistentHash;
import dev.levee.loadbalancing.hash.HashRing;
import dev.levee.loadbalancing.hash.JumpHash;
import dev.levee.loadbalancing.hash.Maglev;
import dev.levee.loadbalancing.hash.Member;
import dev.levee.loadbalancing.hash.MementoHash;
import dev.levee.loadbalancing.hash.Murmur3;
import dev.levee.loadbalancing.hash.RendezvousHash;
import dev.levee.loadbalancing.hash.ShardMap;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A lookup allocates nothing, whatever the hash and the kind of key. */
class HashAllocationTest {
    private static final int CALLS = 50_000;
    private static final String KEY = "user 4711, \u00fcber \ud83d\ude00 und noch viel mehr";
    private static final byte[] BYTES = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17};
    private static final List<Member> MEMBERS =
            IntStream.range(0, 40).mapToObj(i -> Member.of("m" + i)).toList();
    private static long sink;

    private static double bytesEach(Runnable task) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        double least = Double.MAX_VALUE;
        for (int round = 0; round < 4; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < CALLS; i++) {
                task.run();
            }
            least = Math.min(least, (threads.getCurrentThreadAllocatedBytes() - before) / (double) CALLS);
        }
        return least;
    }

    private static boolean odd(int index) {
        return (index & 1) == 1;
    }

    static Stream<ConsistentHash> hashes() {
        return Stream.of(
                HashRing.of(MEMBERS),
                HashRing.envoy(MEMBERS),
                HashRing.ketama(MEMBERS),
                Maglev.of(MEMBERS),
                JumpHash.of(MEMBERS),
                RendezvousHash.of(MEMBERS),
                MementoHash.of(MEMBERS).without("m7").without("m3"));
    }

    @ParameterizedTest
    @MethodSource("hashes")
    void a_lookup_allocates_nothing(ConsistentHash hash) {
        assertThat(bytesEach(() -> sink += hash.indexOf(KEY))).isLessThan(0.5);
        assertThat(bytesEach(() -> sink += hash.indexOf(sink))).isLessThan(0.5);
        assertThat(bytesEach(() -> sink += hash.indexOf(BYTES))).isLessThan(0.5);
        assertThat(bytesEach(() -> sink += hash.indexOfHash(sink, HashAllocationTest::odd)))
                .isLessThan(0.5);
    }

    @Test
    void a_lookup_in_a_shard_map_allocates_nothing() {
        ShardMap map = ShardMap.of(List.of("a", "b", "c"));
        assertThat(bytesEach(() -> sink += map.shardOf(KEY).length())).isLessThan(0.5);
        assertThat(bytesEach(() -> sink += map.shardOf(sink).length())).isLessThan(0.5);
        assertThat(bytesEach(() -> sink += map.shardOf(BYTES).length())).isLessThan(0.5);
    }

    @Test
    void other_hash_functions_allocate_nothing() {
        assertThat(bytesEach(() -> sink += Murmur3.hash32(KEY, 7))).isLessThan(0.5);
        assertThat(bytesEach(() -> sink += Murmur3.hash64(KEY, 7))).isLessThan(0.5);
        assertThat(bytesEach(() -> sink += Murmur3.hash64(BYTES, 7))).isLessThan(0.5);
        assertThat(bytesEach(() -> sink += HashRing.ketamaHash(KEY))).isLessThan(0.5);
    }

    static Stream<BalancingStrategy> strategies() {
        return Stream.of(
                BalancingStrategy.boundedLoads(0.25),
                BalancingStrategy.boundedLoads(0.25, Maglev::of),
                BalancingStrategy.sticky(),
                BalancingStrategy.consistentHash(Maglev::of),
                BalancingStrategy.consistentHash(HashRing::ketama, HashRing::ketamaHash));
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void a_call_allocates_nothing(BalancingStrategy strategy) {
        LoadBalancer<String> nodes = LoadBalancer.of("nodes", strategy, EndpointSource.of(Balancers.endpoints(10)));
        assertThat(bytesEach(() -> sink += nodes.call(4711, String::length))).isLessThan(0.5);
        assertThat(bytesEach(() -> sink += nodes.call(KEY, String::length))).isLessThan(0.5);
    }

    @Test
    void a_call_for_a_full_endpoint_allocates_nothing() {
        LoadBalancer<String> nodes = LoadBalancer.of(
                "nodes", BalancingStrategy.boundedLoads(0.25), EndpointSource.of(Balancers.endpoints(10)));
        for (int i = 0; i < 5; i++) {
            nodes.forKey("hot").pick();
        }
        assertThat(bytesEach(() -> sink += nodes.call("hot", String::length))).isLessThan(0.5);
    }
}
