package dev.levee.core;

import dev.levee.core.internal.Require;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Chooses a setting by the key: which limit a tenant has, which breaker a host.
 *
 * <pre>{@code
 * Function<Object, Limit> limits = KeyPatterns.when("vip-*", Limit.perSecond(1000))
 *         .and("*-batch", Limit.perSecond(1))
 *         .otherwise(Limit.perSecond(100));
 * Keyed<String, RateLimiter> perTenant =
 *         Keyed.of("tenants", 10_000, ofHours(1), key -> RateLimiter.of("tenant-" + key, limits.apply(key)));
 * }</pre>
 *
 * <p>The first pattern that matches counts, so put the special before the general; one that could never count is refused. In a
 * pattern {@code *} stands for any number of characters, none included, and everything else for itself; there is no escape. A key is
 * matched by its {@code toString}. For rules that are no patterns write a function of your own.
 *
 * <p>Immutable and thread-safe. A look-up goes through the patterns in order, in time linear in their number for ordinary patterns; it
 * happens when {@link Keyed} makes the policy of a new key, not on every call.
 *
 * @param <C> the setting
 * @since 0.1
 */
public final class KeyPatterns<C> {
    private final List<Rule<C>> rules;

    private KeyPatterns(List<Rule<C>> rules) {
        this.rules = rules;
    }

    /**
     * The first pattern.
     *
     * @param pattern not blank
     * @param setting what keys that match it get
     * @param <C> the setting
     * @return the patterns, to be gone on with
     * @throws IllegalArgumentException if the pattern is blank
     */
    public static <C> KeyPatterns<C> when(String pattern, C setting) {
        return new KeyPatterns<C>(List.of()).and(pattern, setting);
    }

    /**
     * One more pattern, for keys that none of the earlier ones matches.
     *
     * @param pattern not blank
     * @param setting what keys that match it get
     * @return these patterns and the new one
     * @throws IllegalArgumentException if the pattern is blank, or if an earlier one matches everything that it matches
     */
    public KeyPatterns<C> and(String pattern, C setting) {
        Require.nonNull("setting", setting);
        if (Require.nonNull("pattern", pattern).isBlank()) {
            throw new IllegalArgumentException("pattern must not be blank, but was \"" + pattern + "\"");
        }
        for (Rule<C> earlier : rules) {
            // A star of the later pattern is matched as a character, which only a star of the earlier one takes.
            if (matches(earlier.pattern, pattern)) {
                throw new IllegalArgumentException("pattern \"" + pattern + "\" can never count, because \""
                        + earlier.pattern + "\" stands before it");
            }
        }
        List<Rule<C>> more = new ArrayList<>(rules);
        more.add(new Rule<>(pattern, setting));
        return new KeyPatterns<>(List.copyOf(more));
    }

    /**
     * The function that chooses.
     *
     * @param setting what keys get that no pattern matches
     * @return gives the setting for a key, never null
     */
    public Function<Object, C> otherwise(C setting) {
        Require.nonNull("setting", setting);
        return key -> {
            C chosen = find(Require.nonNull("key", key).toString());
            return chosen == null ? setting : chosen;
        };
    }

    private @Nullable C find(String key) {
        for (Rule<C> rule : rules) {
            if (matches(rule.pattern, key)) {
                return rule.setting;
            }
        }
        return null;
    }

    /** Goes back to the latest star only, which is enough, and keeps it from taking exponential time. */
    private static boolean matches(String pattern, String text) {
        int p = 0;
        int t = 0;
        int star = -1;
        int taken = 0;
        while (t < text.length()) {
            if (p < pattern.length() && pattern.charAt(p) == '*') {
                star = p++;
                taken = t;
            } else if (p < pattern.length() && pattern.charAt(p) == text.charAt(t)) {
                p++;
                t++;
            } else if (star >= 0) {
                p = star + 1;
                t = ++taken;
            } else {
                return false;
            }
        }
        while (p < pattern.length() && pattern.charAt(p) == '*') {
            p++;
        }
        return p == pattern.length();
    }

    @Override
    public String toString() {
        return rules.toString();
    }

    private record Rule<C>(String pattern, C setting) {
        @Override
        public String toString() {
            return pattern + " -> " + setting;
        }
    }
}
