package dev.levee.spring;

import dev.levee.core.KeyPatterns;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * How a policy is made for each key, as it was read.
 *
 * @param max how many keys are held
 * @param idle how long a key is held after its last use
 * @param measured of how many keys the policies are measured one by one
 * @param patterns what differs for some keys; the first that matches counts
 */
record KeySettings(int max, Duration idle, int measured, List<Pattern> patterns) {
    /** The settings of the keys that match a pattern. */
    record Pattern(String pattern, Object settings) {}

    KeySettings(int max, Duration idle, int measured, List<Pattern> patterns) {
        this.max = max;
        this.idle = idle;
        this.measured = measured;
        this.patterns = List.copyOf(new ArrayList<>(patterns));
    }

    /** Returns the function from a key to its settings. */
    Function<Object, Object> settings(Object otherwise) {
        if (patterns.isEmpty()) {
            return key -> otherwise;
        }
        KeyPatterns<Object> chosen =
                KeyPatterns.when(patterns.get(0).pattern(), patterns.get(0).settings());
        for (Pattern each : patterns.subList(1, patterns.size())) {
            chosen = chosen.and(each.pattern(), each.settings());
        }
        return chosen.otherwise(otherwise);
    }
}
