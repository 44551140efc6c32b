package dev.levee.core;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The names of policies that are held for different keys: two objects of one kind and one name would be one in logs and metrics.
 * Not thread-safe.
 */
final class PolicyNameRegistry {
    private final Map<String, Holder> holders = new HashMap<>();

    /** What a value brings along: itself if it is a policy, its members if it is a pipeline. Calls user code, so outside locks. */
    static List<Name> of(Object value) {
        List<Name> names = new ArrayList<>();
        if (value instanceof Pipeline pipeline) {
            pipeline.policies().forEach(member -> names.add(Name.of(member)));
        } else if (value instanceof Policy policy) {
            names.add(Name.of(policy));
        }
        return names;
    }

    /** Adds all names, or none if one of them is another policy's; that one is the answer. */
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

    record Name(String text, Policy policy) {
        static Name of(Policy policy) {
            return new Name(policy.kind().label() + " \"" + policy.name() + "\"", policy);
        }
    }

    /** A policy that several keys may share. */
    private static final class Holder {
        final Policy policy;
        int count;

        Holder(Policy policy) {
            this.policy = policy;
        }
    }
}
