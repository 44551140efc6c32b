package dev.levee.loadbalancing.hash;

import dev.levee.core.internal.Require;

/**
 * A member of a group over which keys are spread.
 *
 * @param id its name; its positions in a hash follow from this alone
 * @param weight its share relative to the others, finite, from 0 (no keys) to 10^12
 * @since 0.1
 */
public record Member(String id, double weight) {
    /**
     * A member.
     *
     * @param id its name, not blank
     * @param weight its share, finite, from 0 to 10^12
     * @throws NullPointerException if an argument is null
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
     * Returns a member of weight 1.
     *
     * @param id its name
     * @return the member
     * @throws IllegalArgumentException if the id is blank
     */
    public static Member of(String id) {
        return new Member(id, 1.0);
    }
}
