package dev.levee.loadbalancing.discovery;

import dev.levee.core.internal.Addresses;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * One of the places that a call may go to.
 *
 * <p>The id is what the balancer and every hash know an endpoint by: it must be the same in every JVM of a cluster for
 * hashing to agree, so it is never taken from a hash code. Two endpoints with one id are one endpoint. Ids are shown in
 * logs and metrics, so user info, query and fragment of a URI are never part of one: endpoints that differ in these
 * alone need ids of their own. Immutable; thread-safe if the address is.
 *
 * <p>A weight is a share, relative to the weights of the others: with 3 and 1, three calls of four. It is a
 * {@code double}, so that a weight can be a measured one and a slow start can be a part of it. Weight 0 drains: no new
 * calls go there, those in flight end. If all weights are 0, all endpoints are used equally, since an outage is worse
 * than a call to a server that is about to go.
 *
 * <p>Endpoints of a higher priority number are backups: with every strategy they get calls only as far as those of the
 * lower numbers are not well. Labels, such as the zone and the version, change nothing by themselves: strategies use
 * them, for zones and for splits.
 *
 * @param id what it is known by, not blank
 * @param address what the client needs to call it; compared by {@code equals}
 * @param weight its share, finite, from 0 to {@link #MAX_WEIGHT}
 * @param priority 0 for those that are used first, from 0 to {@link #LAST_PRIORITY}
 * @param labels more that is known of it, in the order of the names
 * @param <A> the type of the address
 * @since 0.1
 */
public record Endpoint<A>(String id, A address, double weight, int priority, Map<String, String> labels) {
    /** The label of the zone: {@code zone}. */
    public static final String ZONE = "zone";

    /** The label that says how an endpoint drains: {@code drain}. */
    public static final String DRAIN = "drain";

    private static final String SESSIONS = "sessions";

    /** The largest number that a priority can have: 1000. */
    public static final int LAST_PRIORITY = 1000;

    /** The largest weight: 10^12. */
    public static final double MAX_WEIGHT = 1e12;

    /**
     * An endpoint.
     *
     * @param id what it is known by, not blank
     * @param address what the client needs to call it
     * @param weight its share, finite, from 0 to {@link #MAX_WEIGHT}
     * @param priority 0 for those that are used first, from 0 to {@link #LAST_PRIORITY}
     * @param labels more that is known of it; copied
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the id is blank, or the weight or priority is out of its range or not a
     *     number
     */
    public Endpoint {
        if (Require.nonNull("id", id).isBlank()) {
            throw new IllegalArgumentException("id must not be blank, but was \"" + Text.printable(id) + "\"");
        }
        id = Addresses.withoutSecrets(id);
        Require.nonNull("address", address);
        if (!(weight >= 0.0 && weight <= MAX_WEIGHT)) {
            throw new IllegalArgumentException("weight must be from 0 to 1.0E12, but was " + weight);
        }
        weight = weight + 0.0; // there is only one zero
        Require.range("priority", priority, 0, LAST_PRIORITY);
        Require.nonNull("labels", labels).forEach((name, value) -> {
            Require.nonNull("name of a label", name);
            Require.nonNull(name, value);
        });
        labels = labels.isEmpty() ? Map.of() : Collections.unmodifiableMap(new TreeMap<>(labels));
    }

    /**
     * An endpoint of priority 0 without labels.
     *
     * @param id what it is known by, not blank
     * @param address what the client needs to call it
     * @param weight its share, finite, from 0 to {@link #MAX_WEIGHT}
     * @throws IllegalArgumentException if the id is blank, or the weight is out of its range or not a number
     */
    public Endpoint(String id, A address, double weight) {
        this(id, address, weight, 0, Map.of());
    }

    /**
     * An endpoint of weight 1 that is known by its address.
     *
     * @param address an {@code InetSocketAddress}, which is known by its host in normal form and its port whether it is
     *     resolved or not; anything else is known by its {@code toString()}, which must be the same in every JVM, less
     *     user info, query and fragment of a URI
     * @param <A> the type of the address
     * @return the endpoint
     */
    public static <A> Endpoint<A> of(A address) {
        return of(address, 1.0);
    }

    /**
     * An endpoint that is known by its address; see {@link #of(Object)}.
     *
     * @param address the address
     * @param weight its share, from 0 to {@link #MAX_WEIGHT}
     * @param <A> the type of the address
     * @return the endpoint
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the weight is out of its range or not a number
     */
    public static <A> Endpoint<A> of(A address, double weight) {
        return new Endpoint<>(AddressText.of(Require.nonNull("address", address)), address, weight);
    }

    /**
     * This endpoint with another weight.
     *
     * @param other the weight
     * @return the endpoint
     * @throws IllegalArgumentException if the weight is out of its range or not a number
     */
    public Endpoint<A> withWeight(double other) {
        return new Endpoint<>(id, address, other, priority, labels);
    }

    /**
     * This endpoint with another priority.
     *
     * @param other 0 for those that are used first, from 0 to {@link #LAST_PRIORITY}
     * @return the endpoint
     * @throws IllegalArgumentException if the priority is out of its range
     */
    public Endpoint<A> withPriority(int other) {
        return new Endpoint<>(id, address, weight, other, labels);
    }

    /**
     * This endpoint with one more label, or with another value of one.
     *
     * @param name the name of the label
     * @param value its value
     * @return the endpoint
     * @throws NullPointerException if an argument is null
     */
    public Endpoint<A> withLabel(String name, String value) {
        Map<String, String> more = new TreeMap<>(labels);
        more.put(Require.nonNull("name", name), Require.nonNull("value", value));
        return new Endpoint<>(id, address, weight, priority, more);
    }

    /**
     * This endpoint in a zone: the label {@link #ZONE}.
     *
     * @param zone the zone
     * @return the endpoint
     */
    public Endpoint<A> withZone(String zone) {
        return withLabel(ZONE, zone);
    }

    /**
     * This endpoint without new sessions: the label {@link #DRAIN} with the value {@code sessions}. Strategies that go
     * by keys leave the keys there that they have placed there, until the deadline of the balancer's
     * {@code drain(deadline, closer)} has come, and place no new ones; then, and with strategies that do not go by
     * keys, it drains as with weight 0.
     *
     * @return the endpoint
     */
    public Endpoint<A> withoutNewSessions() {
        return withLabel(DRAIN, SESSIONS);
    }

    /**
     * Whether new sessions may begin here; see {@link #withoutNewSessions}.
     *
     * @return true, unless the label {@link #DRAIN} says {@code sessions}
     */
    public boolean takesNewSessions() {
        return labels.isEmpty() || !SESSIONS.equals(labels.get(DRAIN));
    }

    /**
     * The zone.
     *
     * @return the value of the label {@link #ZONE}, or an empty string
     */
    public String zone() {
        return labels.getOrDefault(ZONE, "");
    }

    /** Shows the address as the id does: without user info and query. */
    @Override
    public String toString() {
        return Text.escaped("Endpoint[id=" + id + ", address=" + AddressText.of(address) + ", weight=" + weight
                + ", priority=" + priority + ", labels=" + labels + "]");
    }
}
