package dev.levee.loadbalancing.hash;

import dev.levee.core.internal.Require;

/**
 * One of those that keys are spread over.
 *
 * @param id what it is known by; where it stands in a hash follows from this alone
 * @param weight its share relative to the others, finite, from 0 (no keys) to 10^12
 * @since 0.1
 */
public record Member(String id, double weight) {
    /**
     * A member.
     *
     * @param id what it is known by, not blank
     * @param weight its share, finite, from 0 to 10^12
     * @throws IllegalArgumentException if the id is blank, or the weight is out of its range or not a number
     */
    public Member {
        if (Require.nonNull("id", id).isBlank()) {
            throw new IllegalArgumentException("id must not be blank, but was \"" + id + "\"");
        }
        if (!(weight >= 0.0 && weight <= 1e12)) {
            throw new IllegalArgumentException("weight must be from 0 to 1.0E12, but was " + weight);
        }
        weight = weight + 0.0; // there is only one zero
    }

    /**
     * A member of weight 1.
     *
     * @param id what it is known by
     * @return the member
     * @throws IllegalArgumentException if the id is blank
     */
    public static Member of(String id) {
        return new Member(id, 1.0);
    }
}
