package dev.levee.core;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The names of the policies that are held for different keys: two objects of one kind and one name would be one in logs
 * and metrics, so the second is rejected. Not thread-safe. See ADR 37.
 */
final class PolicyNameRegistry {
    private final Map<String, Holder> holders = new HashMap<>();

    /**
     * Returns the names of a value: its own if it is a policy, those of its members if it is a pipeline. Calls user
     * code, so it must be called outside locks.
     */
    static List<Name> of(Object value) {
        List<Name> names = new ArrayList<>();
        if (value instanceof Pipeline pipeline) {
            pipeline.policies().forEach(member -> names.add(Name.of(member)));
        } else if (value instanceof Policy policy) {
            names.add(Name.of(policy));
        }
        return names;
    }

    /** Adds all names and returns null; or adds none, and returns a name that another policy has. */
    @Nullable Name add(List<Name> names) {
        for (Name name : names) {
            Holder holder = holders.get(name.text);
            if (holder != null && holder.policy != name.policy) {
                return name;
            }
        }
        for (Name name : names) {
            holders.computeIfAbsent(name.text, ignored -> new Holder(name.policy)).count++;
        }
        return null;
    }

    void remove(List<Name> names) {
        for (Name name : names) {
            Holder holder = holders.get(name.text);
            if (holder != null && --holder.count == 0) {
                holders.remove(name.text);
            }
        }
    }

    /** Kind and quoted name of a policy. */
    record Name(String text, Policy policy) {
        static Name of(Policy policy) {
            return new Name(policy.kind().label() + " \"" + policy.name() + "\"", policy);
        }
    }

    /** A policy, and how many keys share it. */
    private static final class Holder {
        final Policy policy;
        int count;

        Holder(Policy policy) {
            this.policy = policy;
        }
    }
}
