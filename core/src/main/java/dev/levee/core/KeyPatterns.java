package dev.levee.core;

import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Chooses a setting by patterns of the key, such as the bulkhead of a tenant or the breaker of a host.
 *
 * <pre>{@code
 * Function<Object, Integer> calls = KeyPatterns.when("db-*", 50).and("*-batch", 5).otherwise(20);
 * Keyed<String, Bulkhead> bulkheads =
 *         Keyed.of("calls", 1_000, ofHours(1), name -> Bulkhead.of("calls-" + name, calls.apply(name)));
 * }</pre>
 *
 * <p>The first pattern that matches counts, so put the special before the general; a pattern that could never count is
 * rejected. In a pattern {@code *} stands for any number of characters, none included, and everything else for itself;
 * there is no escape. A key is matched by its {@code toString}. For rules that are no patterns write a function.
 *
 * <p>Immutable and thread-safe. A look-up tries the patterns in order, in time linear in their number for ordinary
 * patterns; it happens when {@link Keyed} makes the policy of a new key, not on every call. See ADR 37.
 *
 * @param <C> the setting
 * @since 0.1
 */
public final class KeyPatterns<C> {
    private final List<PatternSetting<C>> patterns;

    private KeyPatterns(List<PatternSetting<C>> patterns) {
        this.patterns = patterns;
    }

    /**
     * Returns patterns that begin with this one.
     *
     * @param pattern not blank
     * @param setting the setting of keys that match it
     * @param <C> the setting
     * @return the patterns; continue with {@link #and} and {@link #otherwise}
     * @throws NullPointerException if {@code pattern} or {@code setting} is null
     * @throws IllegalArgumentException if the pattern is blank
     */
    public static <C> KeyPatterns<C> when(String pattern, C setting) {
        return new KeyPatterns<C>(List.of()).and(pattern, setting);
    }

    /**
     * Returns these patterns and one more, for keys that none of the earlier ones matches.
     *
     * @param pattern not blank
     * @param setting the setting of keys that match it
     * @return these patterns and the new one
     * @throws NullPointerException if {@code pattern} or {@code setting} is null
     * @throws IllegalArgumentException if the pattern is blank, or if an earlier one matches everything that it matches
     */
    public KeyPatterns<C> and(String pattern, C setting) {
        Require.nonNull("setting", setting);
        if (Require.nonNull("pattern", pattern).isBlank()) {
            throw new IllegalArgumentException(
                    "pattern must not be blank, but was \"" + Text.printable(pattern) + "\"");
        }
        for (PatternSetting<C> earlier : patterns) {
            // A star of the later pattern is matched as a character, and only a star of the earlier one matches it.
            if (matches(earlier.pattern, pattern)) {
                throw new IllegalArgumentException("pattern \"" + Text.printable(pattern)
                        + "\" can never count, because \"" + Text.printable(earlier.pattern) + "\" stands before it");
            }
        }
        List<PatternSetting<C>> more = new ArrayList<>(patterns);
        more.add(new PatternSetting<>(pattern, setting));
        return new KeyPatterns<>(List.copyOf(more));
    }

    /**
     * Returns the function that chooses.
     *
     * @param setting the setting of keys that no pattern matches
     * @return a function from a key to its setting, never null
     * @throws NullPointerException if {@code setting} is null
     */
    public Function<Object, C> otherwise(C setting) {
        Require.nonNull("setting", setting);
        return key -> {
            C chosen = find(Require.nonNull("key", key).toString());
            return chosen == null ? setting : chosen;
        };
    }

    private @Nullable C find(String key) {
        for (PatternSetting<C> each : patterns) {
            if (matches(each.pattern, key)) {
                return each.setting;
            }
        }
        return null;
    }

    /** Whether a pattern matches. Backtracks to the latest star only, which is enough, and avoids exponential time. */
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
        return patterns.toString();
    }

    /** A pattern, and the setting of keys that match it. */
    private record PatternSetting<C>(String pattern, C setting) {
        @Override
        public String toString() {
            return pattern + " -> " + setting;
        }
    }
}
