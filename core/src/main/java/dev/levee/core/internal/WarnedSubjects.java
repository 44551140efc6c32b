package dev.levee.core.internal;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The subjects of one kind of warning: each is warned about once, and at most 1000 are, because names may be made of
 * keys and must fill neither the memory nor the log. Thread-safe.
 */
public final class WarnedSubjects {
    private static final int MAX_SUBJECTS = 1_000;

    private final Set<String> subjects = ConcurrentHashMap.newKeySet();

    /** Starts without any. */
    public WarnedSubjects() {}

    /**
     * Adds a subject.
     *
     * @param subject what the warning is about
     * @return whether to warn: it was not there, and there was room for it
     */
    public boolean add(String subject) {
        return subjects.size() < MAX_SUBJECTS && subjects.add(subject);
    }
}
