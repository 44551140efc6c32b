package dev.levee.spring;

import dev.levee.core.Environment;
import dev.levee.core.policy.Fallback;

/** A fallback whose settings change while it is used. */
final class LiveFallback extends LivePolicy<Fallback> implements Fallback {
    LiveFallback(String name, Environment environment, Fallback first) {
        super(name, environment, first);
    }
}
