package dev.levee.loadbalancing.strategy;

import dev.levee.core.Environment;
import dev.levee.core.internal.Require;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.hash.ConsistentHash;
import dev.levee.loadbalancing.hash.HashRing;
import dev.levee.loadbalancing.hash.Member;
import dev.levee.loadbalancing.hash.XxHash64;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntPredicate;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * How a {@link LoadBalancer} chooses among endpoints. Below are the factories of the library's strategies. They throw
 * {@link NullPointerException}, with the name, for an argument that is null.
 *
 * <p>Take {@link #powerOfTwoChoices}, which steers around a slow endpoint; {@link #leastConnections} for few endpoints
 * and long calls; {@link #roundRobin} or {@link #weightedRoundRobin} where all calls cost the same;
 * {@link #consistentHash} or {@link #rendezvous} where endpoints have state for keys.
 *
 * <p>A strategy of your own makes a {@link Picker} for each set of endpoints, and may serve many balancers; its state
 * belongs to what {@link #forBalancer} and {@link #newTracker} return. Without state a lambda is enough:
 *
 * <pre>{@code
 * BalancingStrategy random = endpoints -> hash -> endpoints.random().nextInt(endpoints.size());
 * }</pre>
 *
 * @since 0.1
 */
@FunctionalInterface
public interface BalancingStrategy {
    /**
     * Makes the picker for a set.
     *
     * @param candidates the endpoints, at least one
     * @return the picker
     */
    Picker over(Candidates candidates);

    /**
     * Gives the strategy a place for what it must remember longer than one set lasts. Called once for each balancer,
     * before anything else; the balancer then works with the result. Default: this strategy.
     *
     * @param environment the environment of the balancer
     * @return a strategy with a state of its own, or this one
     */
    default BalancingStrategy forBalancer(Environment environment) {
        return this;
    }

    /**
     * Makes what learns about an endpoint. Called once for each that joins. A strategy with trackers makes the balancer
     * read the clock when a call starts and when it ends. Default: null.
     *
     * @param endpoint the endpoint
     * @return what is notified of each call there and is found in {@link Candidates#tracker}, or null
     */
    default @Nullable LoadTracker newTracker(Endpoint<?> endpoint) {
        return null;
    }

    /**
     * Returns whether the key of a call matters. If not, its hash is not computed. Default: true.
     *
     * @return whether it matters
     */
    default boolean usesKey() {
        return true;
    }

    /**
     * Returns whether it goes by {@link Endpoint#priority} itself. If not, the balancer puts {@link #priority} around
     * it for a set with several priorities. Default: false.
     *
     * @return whether it does
     */
    default boolean usesPriority() {
        return false;
    }

    /**
     * Hashes a textual key.
     *
     * @param key the key
     * @return a hash that is evenly spread and equal in every JVM
     */
    default long hash(CharSequence key) {
        return XxHash64.hash(key);
    }

    /**
     * Picks endpoints of one set. Called by many threads; must not block, and should not allocate.
     *
     * @since 0.1
     */
    @FunctionalInterface
    interface Picker {
        /**
         * Picks an endpoint.
         *
         * @param hash of the call's key, evenly spread; random without a key, 0 if {@link #usesKey} is false
         * @return its index, or -1 if there is none
         */
        int pick(long hash);

        /**
         * Picks as {@link #pick(long)} does, at a time that the caller has read already. A balancer whose endpoints
         * have a {@link LoadTracker} calls this one; a picker that asks another hands the time on. Default: ignores it.
         *
         * @param hash as in {@link #pick(long)}
         * @param nowNanos the time of the balancer's clock, which becomes the start of the call
         * @return its index, or -1 if there is none
         */
        default int pick(long hash, long nowNanos) {
            return pick(hash);
        }

        /**
         * Picks among those that gates have not refused and that have not been tried. Default: {@link #pick(long)}.
         *
         * @param hash as in {@link #pick(long)}
         * @param eligible whether an index is left; must not be kept
         * @return an index, or -1 if there is none; for one that is not eligible the balancer takes the next that is
         */
        default int pick(long hash, IntPredicate eligible) {
            return pick(hash);
        }

        /**
         * Picks as {@link #pick(long, IntPredicate)} does, and says why. May allocate. Default: an empty reason.
         *
         * @param hash as in {@link #pick(long)}
         * @param eligible whether an index is left; must not be kept
         * @return the pick
         */
        default Choice explain(long hash, IntPredicate eligible) {
            return new Choice(pick(hash, eligible), "");
        }
    }

    /**
     * A pick and the reason for it.
     *
     * @param index the index, or -1 if there is none
     * @param reason what decided, with the figures, in plain words; without the name of the strategy
     * @since 0.1
     */
    record Choice(int index, String reason) {
        /**
         * Makes a choice.
         *
         * @param index the index, or -1 if there is none
         * @param reason what decided
         * @throws NullPointerException if the reason is null
         */
        public Choice {
            Require.nonNull("reason", reason);
        }
    }

    /**
     * Round robin: picks one after the other, whatever their weights (but 0, which drains). One that refuses is
     * replaced by the next in turn, which is not picked twice. O(1); threads that meet take turns of their own.
     *
     * @return the strategy
     */
    static BalancingStrategy roundRobin() {
        return RoundRobinStrategy.INSTANCE;
    }

    /**
     * Weighted round robin: picks one after the other, as often as their weights say, and evenly interleaved: weights
     * 5, 1, 1 give a a b a c a a, as nginx's does (Maxim Dounin, 2012). If the sum of the weights is large, turns are
     * multiples of the golden ratio (Knuth, The Art of Computer Programming 3, 6.4). O(1) or O(log n).
     *
     * @return the strategy
     */
    static BalancingStrategy weightedRoundRobin() {
        return WeightedRoundRobinStrategy.INSTANCE;
    }

    /**
     * Least connections: picks the endpoint with the fewest calls in flight for its weight, and draws among equals in
     * proportion to weight. Reads all counters: O(n), for up to some tens of endpoints.
     *
     * @return the strategy
     */
    static BalancingStrategy leastConnections() {
        return LeastConnectionsStrategy.INSTANCE;
    }

    /**
     * Power of two choices: of two different endpoints, drawn in proportion to weight, picks the one with fewer calls
     * in flight for its weight. Nearly as even as comparing all, and clients that decide alone do not herd (Michael
     * Mitzenmacher, The Power of Two Choices in Randomized Load Balancing, 2001). O(1).
     *
     * @return the strategy
     */
    static BalancingStrategy powerOfTwoChoices() {
        return TwoChoicesStrategy.INSTANCE;
    }

    /** {@return peak EWMA with two choices, as {@link #leastTime(Duration)} with a decay of 10 s} */
    static BalancingStrategy leastTime() {
        return leastTime(Duration.ofSeconds(10));
    }

    /**
     * Peak EWMA with two choices: of two different endpoints, drawn in proportion to weight, picks the one where the
     * call is expected to finish first: the latency, times this call and those in flight for its weight. Steers around
     * endpoints that are slow, that stall or that fail. The latency is a moving average that jumps up to a slow call at
     * once and comes down slowly (Twitter's Finagle, 2015), or the time that calls wait there without a success, so
     * that a stall shows before any call has ended. Failures make it look slower, however fast they are; cancelled
     * calls count as nothing. One that has just joined or was not called for twice the decay is taken to be as fast as
     * the median. O(1); reads the clock when a call starts and ends; allocates nothing. For calls of one kind: else
     * {@link #powerOfTwoChoices}.
     *
     * @param decay how long it takes a slow call to be forgotten to 37 %, from 1 ms to 1 h
     * @return the strategy
     * @throws IllegalArgumentException if the decay is out of its range
     */
    static BalancingStrategy leastTime(Duration decay) {
        return new LeastTimeStrategy(decay);
    }

    /**
     * Picks at random, each with the same probability, whatever their weights (but 0, which drains). O(1), nothing is
     * shared. For comparison; {@link #powerOfTwoChoices} is nearly always better.
     *
     * @return the strategy
     */
    static BalancingStrategy random() {
        return RandomStrategy.EVEN;
    }

    /**
     * Picks at random, in proportion to weight. O(1), with two reads (Vose's alias method, 1991).
     *
     * @return the strategy
     */
    static BalancingStrategy weightedRandom() {
        return RandomStrategy.WEIGHTED;
    }

    /**
     * Prequal without load probes, as {@link #probing(ProbingConfig)}: the balancer goes by its own calls alone.
     *
     * @return the strategy
     */
    static BalancingStrategy probing() {
        return probing(ProbingConfig.builder().build());
    }

    /**
     * Prequal, as {@link #probing(ProbingConfig)}.
     *
     * @param configure sets at least {@link ProbingConfig.Builder#probe} or {@link ProbingConfig.Builder#responses}
     * @return the strategy
     */
    static BalancingStrategy probing(Consumer<? super ProbingConfig.Builder> configure) {
        return probing(ProbingConfig.of(configure));
    }

    /**
     * Prequal: picks the endpoint that reported the lowest load in a recent load probe. A few endpoints are probed for
     * each call, off its path, and their answers pooled. An endpoint is hot if it has more requests in flight than
     * most; of those that are not the one with the shortest latency gets the call, and if all are hot the one with the
     * fewest in flight. With fewer than two answers, two choices decide. (Bartek Wydrowski, Robert Kleinberg, Stephen
     * M. Rumble and Aaron Archer, Load is not what you should balance: Introducing Prequal, NSDI 2024.)
     *
     * <p>For many clients and many servers whose calls cost very different amounts or that share their machines with
     * others. An endpoint where calls failed recently is taken only if there is no other. Weights say how often an
     * endpoint is probed, and its answers how many calls it gets. A pick allocates nothing; probes run on the executor.
     *
     * @param config the settings
     * @return the strategy
     */
    static BalancingStrategy probing(ProbingConfig config) {
        return new ProbingStrategy(config);
    }

    /**
     * Picks from priority 0 as long as enough of it is healthy, then more and more from the next one: each takes 1.4
     * times its healthy share of the calls, as far as they are left; with half of priority 0 unhealthy, 70 % (Envoy,
     * Priority Levels). A call that is refused stays in its priority if it can, else it goes to the first that has an
     * endpoint left. A balancer does so by itself; say it to put it within another strategy, such as zones.
     *
     * @param inner chooses within a priority
     * @return the strategy
     */
    static BalancingStrategy priority(BalancingStrategy inner) {
        return new PriorityStrategy(inner);
    }

    /**
     * Picks from the own zone first, as {@link #zoneAware(String, Map, int, BalancingStrategy)} does, with at least 6
     * endpoints and for clients that are spread evenly over their zones.
     *
     * @param zone the zone of this client, as in {@link Endpoint#zone}
     * @param inner chooses within a zone
     * @return the strategy
     * @throws IllegalArgumentException if the zone is blank
     */
    static BalancingStrategy zoneAware(String zone, BalancingStrategy inner) {
        return new ZoneStrategy(zone, null, ZoneStrategy.MIN_ENDPOINTS, inner);
    }

    /**
     * Picks from the own zone first, without overloading it (Envoy, Zone Aware Routing). If the zone has at least that
     * part of all weight which it has of all calls, its calls stay in it. If it has less, because it is small or its
     * endpoints are unhealthy, they stay as far as its weight goes; the rest goes to the zones that have weight to
     * spare, in proportion. If all clients do so, zones get calls by weight, and as few as possible leave theirs. If
     * {@code clients} is wrong, zones are loaded unevenly by as much.
     *
     * @param zone the zone of this client, as in {@link Endpoint#zone}
     * @param clients how much of all calls comes from each zone; any numbers from 0, which are divided by their sum
     * @param minEndpoints with fewer healthy endpoints, zones are ignored; from 1
     * @param inner chooses within a zone
     * @return the strategy
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if zone is blank, clients are negative, NaN or all 0, or minEndpoints is below 1
     */
    static BalancingStrategy zoneAware(
            String zone, Map<String, Double> clients, int minEndpoints, BalancingStrategy inner) {
        return new ZoneStrategy(zone, Require.nonNull("clients", clients), minEndpoints, inner);
    }

    /**
     * Picks from a slice of the endpoints, as {@link #subset(int, int, int, BalancingStrategy)}, of at least 12.
     *
     * @param client the number of this client, from 0
     * @param clients how many clients there are
     * @param inner chooses within the slice
     * @return the strategy
     * @throws IllegalArgumentException if the client is not one of them
     */
    static BalancingStrategy subset(int client, int clients, BalancingStrategy inner) {
        return new SubsetStrategy(client, clients, SubsetStrategy.MIN_ENDPOINTS, inner);
    }

    /**
     * Picks from a slice of the endpoints, another one for each of many clients, for few connections (deterministic
     * aperture: Twitter's Finagle, 2019). The endpoints lie on a ring, each as wide as its weight; client number i of n
     * takes the ring from i/n, until it has the minimum of endpoints. All clients together cover every endpoint alike,
     * which random subsets do not. An endpoint that is only partly in the slice has that part of its weight; so the
     * inner strategy should go by weight, such as {@link #leastTime} or {@link #powerOfTwoChoices}.
     *
     * <p>An endpoint that joins or leaves changes about one or two places in each slice; another number of clients
     * changes all slices. If half of a slice is unhealthy it becomes twice as wide. Calls that it refuses go elsewhere.
     *
     * @param client the number of this client, from 0
     * @param clients how many clients there are
     * @param minEndpoints how many endpoints of mean weight a slice has at least, from 1
     * @param inner chooses within the slice
     * @return the strategy
     * @throws IllegalArgumentException if the client is not one of them, or the minimum is less than 1
     */
    static BalancingStrategy subset(int client, int clients, int minEndpoints, BalancingStrategy inner) {
        return new SubsetStrategy(client, clients, minEndpoints, inner);
    }

    /**
     * Picks from groups of endpoints by shares that can be moved while calls are made: canary, blue and green. See
     * {@link TrafficSplit}. A refused call goes to another endpoint of its group, then to other groups.
     *
     * @param split the shares
     * @param inner chooses within a group
     * @return the strategy
     */
    static BalancingStrategy split(TrafficSplit split, BalancingStrategy inner) {
        return new SplitStrategy(split, inner);
    }

    /**
     * Rendezvous hashing: picks the same endpoint for the same key, in proportion to weight, as long as it is there;
     * then another, and no other key moves (David G. Thaler and Chinya V. Ravishankar, Using Name-Based Mappings to
     * Increase Hit Rates, 1998). A call without a key goes to any. O(n): for many endpoints, {@link #consistentHash()}.
     *
     * @return the strategy
     */
    static BalancingStrategy rendezvous() {
        return HashStrategy.RENDEZVOUS;
    }

    /**
     * {@link #rendezvous} by the address of a client: a key that is an IP address counts as the address, however it is
     * written, so {@code ::1} and {@code 0:0:0:0:0:0:0:1} are one client, and so are {@code 10.0.0.1} and
     * {@code ::ffff:10.0.0.1}. A zone ({@code %eth0}) is part of it. Any other key is taken as text.
     *
     * @return the strategy
     */
    static BalancingStrategy ipHash() {
        return HashStrategy.IP_HASH;
    }

    /**
     * Picks the owner of the key on a {@link HashRing}, or the next one if it refuses; without a key, any endpoint.
     *
     * @return the strategy
     */
    static BalancingStrategy consistentHash() {
        return HashStrategy.RING;
    }

    /**
     * Picks the owner of the key by any consistent hash.
     *
     * @param hash makes the hash of a set of members, which it gets in the order of their ids; its indices are theirs
     * @return the strategy
     */
    static BalancingStrategy consistentHash(Function<? super List<Member>, ? extends ConsistentHash> hash) {
        return consistentHash(hash, XxHash64::hash);
    }

    /**
     * Picks the owner of the key by any consistent hash and with any hash of textual keys, as other programs do:
     *
     * <pre>{@code
     * BalancingStrategy memcached = BalancingStrategy.consistentHash(HashRing::ketama, HashRing::ketamaHash);
     * }</pre>
     *
     * @param hash makes the hash of a set of members; see {@link #consistentHash(Function)}
     * @param keys hashes a textual key
     * @return the strategy
     * @throws NullPointerException if an argument is null
     */
    static BalancingStrategy consistentHash(
            Function<? super List<Member>, ? extends ConsistentHash> hash, ToLongFunction<? super CharSequence> keys) {
        return new HashStrategy("consistent hash", Require.nonNull("hash", hash), Require.nonNull("keys", keys));
    }

    /**
     * {@link #consistentHash()} with bounded loads, on a {@link HashRing}; see {@link #boundedLoads(double, Function)}.
     *
     * @param excess by how much an endpoint may exceed its share, from 0.001 to 1000; 0.25 is a good start
     * @return the strategy
     * @throws IllegalArgumentException if the excess is out of its range or not a number
     */
    static BalancingStrategy boundedLoads(double excess) {
        return boundedLoads(excess, HashRing::of);
    }

    /**
     * A consistent hash whose endpoints never exceed their share of the calls in flight by more than a fixed ratio: of
     * m calls, counting the one that comes, one of n equal endpoints gets no call beyond (1 + excess) m / n, rounded
     * up; one for a full endpoint goes to the next in the order of the key (Vahab Mirrokni, Mikkel Thorup and Morteza
     * Zadimoghaddam, Consistent Hashing with Bounded Loads, 2018). For hot keys. Shares follow weights.
     *
     * <p>The bound holds at the instant at which a call is admitted, however many come at once; calls that end
     * elsewhere later make the mean smaller, and no call in flight can be moved. Endpoints whose gates refuse a call,
     * or that it has tried, are no capacity for it: if all others are full the bound holds among them.
     *
     * @param excess by how much an endpoint may exceed its share, from 0.001 to 1000: small for even loads, large for
     *     few moved keys
     * @param hash makes the hash of a set of members; see {@link #consistentHash(Function)}
     * @return the strategy
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the excess is out of its range or not a number
     */
    static BalancingStrategy boundedLoads(
            double excess, Function<? super List<Member>, ? extends ConsistentHash> hash) {
        return new BoundedLoadsStrategy(Require.nonNull("hash", hash), excess);
    }

    /**
     * Keeps a key where it was first sent, also when others join or weights change: {@link #sticky(BalancingStrategy,
     * int)} with {@link #powerOfTwoChoices} for new keys and 65536 keys.
     *
     * @return the strategy
     */
    static BalancingStrategy sticky() {
        return sticky(powerOfTwoChoices(), StickyStrategy.DEFAULT_KEYS);
    }

    /**
     * Keeps a key where it was first sent, for as long as that endpoint is a candidate and the key is remembered: for
     * sessions that live in one server, and are lost elsewhere. Unlike {@link #rendezvous}, it moves no key to one that
     * joins, and it spreads new keys as the strategy for them does; but it remembers, each balancer for itself, and
     * forgets with the process. Clients that must agree take {@link #rendezvous}.
     *
     * <p>While the endpoint of a key refuses, by its gate, its calls go to one deputy, the same for all calls with the
     * key, and return when it admits again. If it leaves, or health leaves it out, the key is new. If there are too
     * many keys, those that were not used are forgotten first. A call without a key goes where a new key would.
     *
     * @param forNewKeys chooses the endpoint of a key that is not known
     * @param keys how many are remembered at least, about, from 1 to 2^24: 40 bytes each
     * @return the strategy
     * @throws IllegalArgumentException if the number of keys is out of its range
     */
    static BalancingStrategy sticky(BalancingStrategy forNewKeys, int keys) {
        return new StickyStrategy(forNewKeys, keys);
    }
}
