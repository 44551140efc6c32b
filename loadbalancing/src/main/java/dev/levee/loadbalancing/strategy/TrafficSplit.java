package dev.levee.loadbalancing.strategy;

import dev.levee.core.internal.Require;
import java.util.Map;

/**
 * Holds which share of the calls goes to which version of a service: canary releases, blue and green. It is the handle
 * by which the shares are moved while calls are made.
 *
 * <pre>{@code
 * TrafficSplit split = TrafficSplit.byKey("version", Map.of("v1", 0.95, "v2", 0.05));
 * LoadBalancer<URI> nodes =
 *         LoadBalancer.of("catalog", BalancingStrategy.split(split, BalancingStrategy.leastTime()), source);
 * split.setShares(Map.of("v1", 0.5, "v2", 0.5));
 * }</pre>
 *
 * <p>Endpoints belong to the group that their label names; one without the label belongs to the group {@code ""}. A
 * group that no share names, or whose share is 0, gets no calls. A group without endpoints that could take a call gives
 * its share to the others, in proportion to theirs. If no group with a share has any, all endpoints are used, whatever
 * their label: an outage is worse than a call to the wrong version.
 *
 * <p>One handle may serve many balancers. Thread-safe; nothing blocks.
 *
 * @since 0.1
 */
public final class TrafficSplit {
    private final String label;
    private final boolean byKey;
    private volatile Map<String, Double> shares;

    private TrafficSplit(String label, Map<String, Double> shares, boolean byKey) {
        this.label = Require.name(label);
        this.shares = NormalizedShares.of("shares", shares);
        this.byKey = byKey;
    }

    /**
     * Returns a split that draws for each call.
     *
     * @param label the label that names the group of an endpoint, such as {@code version}
     * @param shares the share of each group; any numbers from 0, which are divided by their sum
     * @return the handle
     * @throws NullPointerException if the label, the shares, a name or a share is null
     * @throws IllegalArgumentException if the label is blank, a share is negative or not a number, or all are 0
     */
    public static TrafficSplit of(String label, Map<String, Double> shares) {
        return new TrafficSplit(label, shares, false);
    }

    /**
     * Returns a split that goes by the key of the call: one user stays on one side, in every client, as long as the
     * shares allow it. When shares move, a key changes from one group to another only if the share of that one grew in
     * relation to the first's; so with two groups, while the share of one grows, no key comes back from it. A call
     * without a key is drawn.
     *
     * @param label the label that names the group of an endpoint, such as {@code version}
     * @param shares the share of each group; any numbers from 0, which are divided by their sum
     * @return the handle
     * @throws NullPointerException if the label, the shares, a name or a share is null
     * @throws IllegalArgumentException if the label is blank, a share is negative or not a number, or all are 0
     */
    public static TrafficSplit byKey(String label, Map<String, Double> shares) {
        return new TrafficSplit(label, shares, true);
    }

    /**
     * Moves the shares, all at once: a call sees either the old ones or the new ones. Groups that are not named get
     * nothing.
     *
     * @param value the share of each group; any numbers from 0, which are divided by their sum
     * @throws NullPointerException if the shares, a name or a share is null
     * @throws IllegalArgumentException if a share is negative or not a number, or all are 0; the shares are then as
     *     before
     */
    public void setShares(Map<String, Double> value) {
        shares = NormalizedShares.of("shares", value);
    }

    /**
     * Returns the shares as they are now.
     *
     * @return by group; their sum is 1
     */
    public Map<String, Double> shares() {
        return shares;
    }

    /**
     * Returns the label that names the group of an endpoint.
     *
     * @return its name
     */
    public String label() {
        return label;
    }

    boolean isByKey() {
        return byKey;
    }

    @Override
    public String toString() {
        return "split by " + label + " " + shares;
    }
}
