package dev.levee.examples.shortlink;

import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The one primitive that is taken out of a run, to see what it is for. */
public enum Without {
    /** Everything is in its place. */
    NOTHING,
    /** No circuit breaker, neither at the front nor around the database. */
    BREAKER,
    /** No second attempt on another node, neither after a failure nor after a while: no hedge either. */
    RETRY,
    /** No second request while the first one is under way. */
    HEDGE,
    /** No timeout, neither at the front nor around the database. */
    TIMEOUT,
    /** No bulkhead, neither per node at the front nor around the database. */
    BULKHEAD,
    /** No cache in the nodes. */
    CACHE,
    /** No rate limit, neither per client nor per tenant. */
    RATELIMIT,
    /** No shedding at the front: it begins whatever comes. */
    SHEDDING;

    /**
     * What is taken out.
     *
     * @param name what the user typed
     * @return the primitive
     * @throws UsageException if there is none of that name
     */
    public static Without named(String name) throws UsageException {
        for (Without without : values()) {
            if (without != NOTHING && without.label().equals(name)) {
                return without;
            }
        }
        throw new UsageException("--without takes one of " + names() + ", but got " + name);
    }

    /**
     * All that can be taken out.
     *
     * @return the names, separated by |
     */
    public static String names() {
        return Stream.of(values())
                .filter(without -> without != NOTHING)
                .map(Without::label)
                .collect(Collectors.joining("|"));
    }

    /**
     * Its name as a user types it.
     *
     * @return lower case
     */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * A pipeline of what is left.
     *
     * @param outermostFirst the policies as they should be
     * @return those policies, without the kind that is taken out
     */
    public Pipeline pipeline(Policy... outermostFirst) {
        return Pipeline.of(Arrays.stream(outermostFirst).filter(this::leaves).toArray(Policy[]::new));
    }

    /**
     * Whether a policy stays.
     *
     * @param policy the policy
     * @return false if it is of the kind that is taken out
     */
    public boolean leaves(Policy policy) {
        return !policy.kind().label().equals(label()) && !(this == RETRY && policy.kind() == Policy.Kind.HEDGE);
    }
}
