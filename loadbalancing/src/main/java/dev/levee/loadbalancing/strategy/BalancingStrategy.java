package dev.levee.loadbalancing.strategy;

import dev.levee.core.Environment;
import dev.levee.core.internal.Nanos;
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
 * How a {@link LoadBalancer} chooses among endpoints.
 *
 * <p>A strategy makes a {@link Picker} for each set of endpoints, once, when the set changes; the picker then answers each call
 * with an index. A strategy has no state of its own and may serve many balancers
 * (one that needs some gets a place for it: {@link #forBalancer}, {@link #newTracker}). A lambda is enough for one of your own:
 *
 * <pre>{@code
 * BalancingStrategy random = endpoints -> hash -> endpoints.random().nextInt(endpoints.size());
 * }</pre>
 *
 * <p>Which to take: {@link #powerOfTwoChoices} unless there is a reason, since it steers around a slow endpoint;
 * {@link #leastConnections} for few endpoints and long calls; {@link #roundRobin} and {@link #weightedRoundRobin} where all calls cost the
 * same; {@link #consistentHash} and {@link #rendezvous} where the endpoint has state, such as a cache, for the key of the call.
 *
 * @since 0.1
 */
@FunctionalInterface
public interface BalancingStrategy {
    /**
     * Answers calls for one set of endpoints. Called by many threads; must not block, and should not allocate.
     *
     * @since 0.1
     */
    @FunctionalInterface
    interface Picker {
        /**
         * Chooses an endpoint.
         *
         * @param hash the hash of the call's key, evenly spread over all longs; a random number for a call without a key, 0 if the
         *     strategy said that it {@linkplain BalancingStrategy#usesKey does not use it}
         * @return its index, or -1 if there is none
         */
        int pick(long hash);

        /**
         * Picks as {@link #pick(long)} does, at a time that the caller has read already. A balancer whose endpoints have a
         * {@link LoadTracker} calls this one, so that a picker which needs the time does not read the clock again. By default it
         * ignores the time.
         *
         * @param hash as in {@link #pick(long)}
         * @param nowNanos the time of the balancer's clock, which becomes the start of the call
         * @return its index, or -1 if there is none
         */
        default int pick(long hash, long nowNanos) {
            return pick(hash);
        }

        /**
         * Chooses among those that are left, after an endpoint was refused by its gate or has been tried before. As it stands,
         * it asks {@link #pick(long)}.
         *
         * @param hash as in {@link #pick(long)}
         * @param eligible tells which indices are left; must not be kept
         * @return an index, or -1 if there is none; for one that is not eligible the balancer takes the next that is
         */
        default int pick(long hash, IntPredicate eligible) {
            return pick(hash);
        }

        /**
         * Picks as {@link #pick(long, IntPredicate)} does, and says why. May allocate. As it stands, it says nothing.
         *
         * @param hash as in {@link #pick(long)}
         * @param eligible tells which indices are left; must not be kept
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
         * A choice.
         *
         * @param index the index, or -1
         * @param reason what decided
         */
        public Choice {
            Require.nonNull("reason", reason);
        }
    }

    /**
     * Makes the picker for a set.
     *
     * @param candidates the endpoints, at least one
     * @return the picker
     */
    Picker over(Candidates candidates);

    /**
     * Gives the strategy a place for what it must remember longer than one set lasts. Called once for each balancer, before anything
     * else; the balancer then works with the answer.
     *
     * @param environment the environment of the balancer
     * @return a strategy with a state of its own, or this one, as it stands
     */
    default BalancingStrategy forBalancer(Environment environment) {
        return this;
    }

    /**
     * Makes what learns about an endpoint. Called once for each that joins. A strategy that has such makes the balancer read the
     * clock when a call starts and when it ends.
     *
     * @param endpoint the endpoint
     * @return what is told of each call there and is found in {@link Candidates#tracker}, or null, as it stands
     */
    default @Nullable LoadTracker newTracker(Endpoint<?> endpoint) {
        return null;
    }

    /**
     * Whether the key of a call matters. If not, nobody computes its hash.
     *
     * @return true unless a strategy says otherwise
     */
    default boolean usesKey() {
        return true;
    }

    /**
     * Makes a number of a textual key.
     *
     * @param key the key
     * @return a hash that is evenly spread and equal in every JVM
     */
    default long hash(CharSequence key) {
        return XxHash64.hash(key);
    }

    /**
     * One after the other, whatever their weights (but 0, which drains). An endpoint that refuses takes its turn from nobody: the
     * next one in the row comes a turn earlier. O(1); threads that
     * pick at the very same time go round in rows of their own.
     *
     * @return the strategy
     */
    static BalancingStrategy roundRobin() {
        return RoundRobinStrategy.INSTANCE;
    }

    /**
     * One after the other, as often as their weights say, and evenly interleaved: weights 5, 1, 1 give a a b a c a a. The sequence
     * is the one of nginx's smooth weighted round robin (Maxim Dounin, 2012) for whole weights whose sum, divided by their greatest
     * common divisor, is small. For all others the place in the row is a multiple of the golden ratio, which
     * keeps each share to within a few calls for any weights (the three-distance theorem; Knuth, The Art of Computer Programming 3,
     * 6.4) with memory for the endpoints alone. O(1) or O(log n).
     *
     * @return the strategy
     */
    static BalancingStrategy weightedRoundRobin() {
        return WeightedRoundRobinStrategy.INSTANCE;
    }

    /**
     * The one with the fewest calls in flight for its weight; a draw among equals in proportion to weight. Reads all counters:
     * O(n), for up to some tens of endpoints.
     *
     * @return the strategy
     */
    static BalancingStrategy leastConnections() {
        return LeastConnectionsStrategy.INSTANCE;
    }

    /**
     * Of two different endpoints, drawn in proportion to weight, the one with fewer calls in flight for its weight. Nearly as even
     * as looking at all of them, and many clients that decide alone do not herd (Michael Mitzenmacher, The Power of Two Choices in
     * Randomized Load Balancing, 2001). O(1).
     *
     * @return the strategy
     */
    static BalancingStrategy powerOfTwoChoices() {
        return TwoChoicesStrategy.INSTANCE;
    }

    /**
     * Of two different endpoints, drawn in proportion to weight, the one where the call will have ended first: the latency of late,
     * times this call and those in flight for its weight. Steers around an endpoint that is slow, that stalls or that fails. See
     * {@link #leastTime(Duration)}; here slow calls are forgotten with a time constant of 10 s.
     *
     * @return the strategy
     */
    static BalancingStrategy leastTime() {
        return leastTime(Duration.ofSeconds(10));
    }

    /**
     * Of two different endpoints the one where the call will have ended first. The latency is a moving average that jumps up to a slow
     * call at once and comes down slowly (peak EWMA, Twitter's Finagle, 2015); the age of the oldest call in flight, if that is more, so
     * that a stall shows before any call has ended. Calls that fail make an endpoint look slower, however fast they fail; cancelled
     * calls count as nothing. An endpoint that has just come, or has not been called for twice the decay, is taken to be as fast
     * as the median of the others. O(1); reads the clock when a call starts and when it ends; allocates nothing. For calls of the same kind: where some take much longer than others by nature, {@link #powerOfTwoChoices}.
     *
     * @param decay how long it takes a slow call to be forgotten to 37 %, from 1 ms to 1 h
     * @return the strategy
     * @throws IllegalArgumentException if the decay is out of its range
     */
    static BalancingStrategy leastTime(Duration decay) {
        return new LeastTimeStrategy(Require.range("decay", Nanos.of(decay), 1_000_000L, 3_600_000_000_000L));
    }

    /**
     * Anyone, whatever their weights (but 0, which drains), each as likely as the others. O(1), nothing is shared. For comparison, and
     * where many threads of many clients send short calls to many endpoints; {@link #powerOfTwoChoices} is nearly always better.
     *
     * @return the strategy
     */
    static BalancingStrategy random() {
        return RandomStrategy.EVEN;
    }

    /**
     * Anyone, in proportion to weight. O(1), with two reads (Michael D. Vose, A Linear Algorithm for Generating Random Numbers with a
     * Given Distribution, 1991).
     *
     * @return the strategy
     */
    static BalancingStrategy weightedRandom() {
        return RandomStrategy.WEIGHTED;
    }

    /**
     * Priority 0 as long as enough of it is well, then more and more of the next one. Of each priority, the share of the weight whose
     * health is good is taken times 1.4; that share of the calls it takes, and the next priorities what is left: with half of priority
     * 0 ill, 70 % of the calls still go there and 30 % to priority 1 (Envoy, Load Balancing Priorities). A call whose endpoint refuses
     * goes to another of the same priority, then to the first priority that has one.
     *
     * @param inner chooses within a priority
     * @return the strategy
     */
    static BalancingStrategy priority(BalancingStrategy inner) {
        return new PriorityStrategy(Require.nonNull("inner", inner));
    }

    /**
     * The own zone first, as {@link #zoneAware(String, Map, int, BalancingStrategy)}, for clients that are spread evenly over the zones
     * of the endpoints, and not with fewer than 6 endpoints.
     *
     * @param zone the zone of this client, as in {@link Endpoint#zone}
     * @param inner chooses within a zone
     * @return the strategy
     * @throws IllegalArgumentException if the zone is blank
     */
    static BalancingStrategy zoneAware(String zone, BalancingStrategy inner) {
        return new ZoneStrategy(zone, null, ZoneStrategy.MINIMUM, Require.nonNull("inner", inner));
    }

    /**
     * The own zone first, without overloading it (Envoy, Zone Aware Routing). If the zone has at least that part of all weight which
     * it has of all calls, its calls stay in it. If it has less, because it is small or its endpoints are ill, they stay as far as its
     * weight goes; the rest goes to the zones that have weight to spare, in proportion to what they have to spare. If all clients do
     * so, each zone gets calls by its weight, and as few calls as possible leave their zone.
     *
     * <p>The rule needs to know where calls come from. If what it is told is wrong, zones are loaded unevenly by as much.
     *
     * @param zone the zone of this client, as in {@link Endpoint#zone}
     * @param clients how much of all calls comes from each zone; any numbers from 0 on, which are divided by their sum
     * @param minEndpoints with fewer of them that are well, zones are of no account; from 1
     * @param inner chooses within a zone
     * @return the strategy
     * @throws IllegalArgumentException if the zone is blank, a number is negative or not a number, all are 0, or the minimum is less
     *     than 1
     */
    static BalancingStrategy zoneAware(
            String zone, Map<String, Double> clients, int minEndpoints, BalancingStrategy inner) {
        return new ZoneStrategy(
                zone, Require.nonNull("clients", clients), minEndpoints, Require.nonNull("inner", inner));
    }

    /**
     * A slice of the endpoints, as {@link #subset(int, int, int, BalancingStrategy)}, of at least 12.
     *
     * @param client the number of this client, from 0
     * @param clients how many clients there are
     * @param inner chooses within the slice
     * @return the strategy
     * @throws IllegalArgumentException if the client is not one of them
     */
    static BalancingStrategy subset(int client, int clients, BalancingStrategy inner) {
        return new SubsetStrategy(client, clients, SubsetStrategy.MINIMUM, Require.nonNull("inner", inner));
    }

    /**
     * A slice of the endpoints for each of many clients, for few connections (deterministic aperture: Twitter's Finagle, 2019). The
     * endpoints lie on a ring, each as wide as its weight; client number i of n takes the ring from i/n on, so far that it has the
     * minimum of endpoints. All clients together cover every endpoint alike, which random subsets do not. An endpoint that is only
     * partly in the slice has that part of its weight; so the inner strategy should be one that goes by weight, such as
     * {@link #leastTime} or {@link #powerOfTwoChoices}.
     *
     * <p>An endpoint that comes or goes changes about one or two places in each slice; another number of clients changes all slices. If
     * half of a slice is ill it becomes twice as wide. A call that the whole slice refuses goes to one of the others.
     *
     * @param client the number of this client, from 0
     * @param clients how many clients there are
     * @param minEndpoints how many endpoints of mean weight a slice has at least, from 1
     * @param inner chooses within the slice
     * @return the strategy
     * @throws IllegalArgumentException if the client is not one of them, or the minimum is less than 1
     */
    static BalancingStrategy subset(int client, int clients, int minEndpoints, BalancingStrategy inner) {
        return new SubsetStrategy(client, clients, minEndpoints, Require.nonNull("inner", inner));
    }

    /**
     * Groups of endpoints by shares that can be moved while calls go on: canary, blue and green. See {@link TrafficSplit}. A call whose
     * endpoint refuses goes to another of its group, then to the other groups that have a share.
     *
     * @param split the shares
     * @param inner chooses within a group
     * @return the strategy
     */
    static BalancingStrategy split(TrafficSplit split, BalancingStrategy inner) {
        return new SplitStrategy(Require.nonNull("split", split), Require.nonNull("inner", inner));
    }

    /**
     * The same endpoint for the same key, in proportion to weight, as long as it is there; then another, and no other key moves
     * (rendezvous hashing: David G. Thaler and Chinya V. Ravishankar, Using Name-Based Mappings to Increase Hit Rates, 1998). A
     * call without a key goes anywhere. O(n); for many endpoints see {@link #consistentHash()}.
     *
     * @return the strategy
     */
    static BalancingStrategy rendezvous() {
        return HashStrategy.AFFINITY;
    }

    /**
     * {@link #rendezvous} by the address of a client: a key that is an IP address counts as the address, however it is written, so
     * {@code ::1} and {@code 0:0:0:0:0:0:0:1} are one client, and so are {@code 10.0.0.1} and {@code ::ffff:10.0.0.1}. A zone
     * ({@code %eth0}) is part of it. Any other key is taken as text.
     *
     * @return the strategy
     */
    static BalancingStrategy ipHash() {
        return HashStrategy.IP_HASH;
    }

    /**
     * The owner of the key on a {@link HashRing}; if it refuses, the next one on the ring. A call without a key goes anywhere.
     *
     * @return the strategy
     */
    static BalancingStrategy consistentHash() {
        return HashStrategy.RING;
    }

    /**
     * The owner of the key by any consistent hash.
     *
     * @param hash makes the hash of a set of members; its indices are those of the members in the order of their ids, which is the
     *     order in which it gets them
     * @return the strategy
     */
    static BalancingStrategy consistentHash(Function<? super List<Member>, ? extends ConsistentHash> hash) {
        return consistentHash(hash, XxHash64::hash);
    }

    /**
     * The owner of the key by any consistent hash, with another hash of textual keys than {@link XxHash64}. For those who must agree with
     * others:
     *
     * <pre>{@code
     * BalancingStrategy memcached = BalancingStrategy.consistentHash(HashRing::ketama, HashRing::ketamaHash);
     * }</pre>
     *
     * @param hash makes the hash of a set of members; see {@link #consistentHash(Function)}
     * @param keys makes a number of a textual key
     * @return the strategy
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
     * A consistent hash whose endpoints never have more calls in flight than their share and so much above it: of m calls, counting the one
     * that comes, one of n equal endpoints gets no call beyond (1 + excess) m / n, rounded up; a call for one that is full goes to the
     * next in the order of the key that is not (Vahab Mirrokni, Mikkel Thorup and Morteza Zadimoghaddam, Consistent Hashing with
     * Bounded Loads, 2018). For keys of which some are much hotter than others. Shares follow weights.
     *
     * <p>The bound holds at the instant at which a call is admitted, however many come at once; calls that end elsewhere later make the
     * mean smaller, and no call in flight can be moved. Endpoints that refuse a call by their gates, or that it has tried before, are no
     * capacity for it: if all others are full the bound holds among those alone.
     *
     * @param excess by how much an endpoint may exceed its share, from 0.001 to 1000: a small one spreads evenly, a large one keeps keys
     *     where they belong
     * @param hash makes the hash of a set of members; see {@link #consistentHash(Function)}
     * @return the strategy
     * @throws IllegalArgumentException if the excess is out of its range or not a number
     */
    static BalancingStrategy boundedLoads(
            double excess, Function<? super List<Member>, ? extends ConsistentHash> hash) {
        if (!(excess >= 0.001 && excess <= 1000)) {
            throw new IllegalArgumentException("excess must be from 0.001 to 1000.0, but was " + excess);
        }
        return new BoundedLoadsStrategy(Require.nonNull("hash", hash), excess, null);
    }

    /**
     * The one that says that it is the least busy, as far as it was asked lately: {@link #probing(Consumer)} without a probe, so that
     * the balancer goes by its own calls alone.
     *
     * @return the strategy
     */
    static BalancingStrategy probing() {
        return new ProbingStrategy(ProbingConfig.builder().build());
    }

    /**
     * The one that says that it is the least busy, as far as it was asked lately. A few endpoints are asked for each call, off its
     * path, and their answers are kept in a pool. An endpoint is hot if it has more requests in flight than most; of those that are not
     * the one with the shortest latency gets the call, and if all are hot the one with the fewest requests in flight. While there are
     * fewer than two answers, two choices decide. (Bartek Wydrowski, Robert Kleinberg, Stephen M. Rumble and Aaron Archer, Load is not
     * what you should balance: Introducing Prequal, NSDI 2024.)
     *
     * <p>For many clients and many servers whose calls cost very different amounts or that share their machines with others: no client
     * sees from its own calls alone how busy a server is. An endpoint where calls fail lately is taken only if there is no other.
     * Weights say how often an endpoint is asked; how many calls it gets is then for its answers to say. A pick looks at the whole
     * pool, 16 answers, and allocates nothing; probes go out on the environment's executor.
     *
     * @param configure says at least whom to ask: {@link ProbingConfig.Builder#probe} or {@link ProbingConfig.Builder#responses}
     * @return the strategy
     */
    static BalancingStrategy probing(Consumer<? super ProbingConfig.Builder> configure) {
        ProbingConfig.Builder builder = ProbingConfig.builder();
        Require.nonNull("configure", configure).accept(builder);
        return new ProbingStrategy(builder.build());
    }

    /**
     * A key stays where it was first sent, also when others join or weights change: {@link #sticky(BalancingStrategy, int)} with
     * {@link #powerOfTwoChoices} for new keys and 65536 keys.
     *
     * @return the strategy
     */
    static BalancingStrategy sticky() {
        return sticky(powerOfTwoChoices(), StickyStrategy.DEFAULT_KEYS);
    }

    /**
     * A key stays where it was first sent, for as long as that endpoint is a candidate and the key is remembered: for sessions that live
     * in one server, and are lost elsewhere. Unlike {@link #rendezvous}, it moves no key to one that joins, and it spreads new keys as
     * the strategy for them does; but it remembers, each balancer for itself, and forgets with the process. Where many clients must send a
     * key to the same endpoint without talking to each other take {@link #rendezvous} or {@link #consistentHash()}.
     *
     * <p>While the endpoint of a key refuses, by its gate, its calls go to one deputy, the same for all calls with the key, and return
     * when it admits again. If it leaves, or health leaves it out, the key is new. If there are too many keys, those go first that were
     * not asked for. A call without a key goes where a new key would.
     *
     * @param forNewKeys chooses the endpoint of a key that is not known
     * @param keys how many are remembered at least, about, from 1 to 2^24: 40 bytes each
     * @return the strategy
     * @throws IllegalArgumentException if the number of keys is out of its range
     */
    static BalancingStrategy sticky(BalancingStrategy forNewKeys, int keys) {
        Require.range("keys", keys, 1, 1 << 24);
        return new StickyStrategy(Require.nonNull("forNewKeys", forNewKeys), keys, null);
    }
}
