package dev.levee.examples.shortlink.cluster;

import dev.levee.core.Listener;
import dev.levee.core.Policy;
import java.io.PrintStream;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Hears from all processes what happens there: prints what a person wants to see, and counts. Thread-safe. */
public final class Events {
    private static final String CLOSED = "CLOSED";
    private static final String OPEN = "OPEN";

    private final long start = System.nanoTime();
    private final PrintStream out;
    private final Listener listener;
    private final Set<String> open = new TreeSet<>();
    private final Map<String, Integer> figures = new TreeMap<>();
    private int opened;
    private int closed;

    /**
     * Counts from zero.
     *
     * @param out where to print
     */
    public Events(PrintStream out) {
        this(out, Listener.NONE);
    }

    /**
     * Counts from zero.
     *
     * @param out where to print
     * @param listener receives every change of state too, under the names of process and policy
     */
    public Events(PrintStream out, Listener listener) {
        this.out = out;
        this.listener = listener;
    }

    /** A breaker flips between OPEN and HALF_OPEN at each probe; only leaving and reaching CLOSED is news. */
    void stateChanged(String process, String policy, String from, String to, String kind) {
        listener.onStateChange(Policy.Kind.valueOf(kind), process + ": " + policy, from, to);
        String breaker = process + "'s breaker " + policy;
        synchronized (open) {
            if (to.equals(OPEN) && open.add(breaker)) {
                opened++;
                say(breaker + " opens");
            } else if (to.equals(CLOSED) && open.remove(breaker)) {
                closed++;
                say(breaker + " closes");
            }
        }
    }

    void figure(String name, int value) {
        synchronized (open) {
            figures.merge(name, value, Math::max);
        }
    }

    void ended(String process) {
        say(process + " has ended");
        synchronized (open) {
            open.removeIf(breaker -> breaker.startsWith(process + "'s "));
        }
    }

    /**
     * Prints a line with the time.
     *
     * @param line what happened
     */
    public void say(String line) {
        out.printf("%6.1f s  %s%n", (System.nanoTime() - start) / 1e9, line);
    }

    /** Counts from zero again. */
    public void reset() {
        synchronized (open) {
            opened = 0;
            closed = 0;
        }
    }

    /**
     * How often a breaker opened.
     *
     * @return the number
     */
    public int opened() {
        synchronized (open) {
            return opened;
        }
    }

    /**
     * How often an open breaker closed again.
     *
     * @return the number
     */
    public int closed() {
        synchronized (open) {
            return closed;
        }
    }

    /**
     * What processes reported besides.
     *
     * @return the largest value of each figure, by name
     */
    public Map<String, Integer> figures() {
        synchronized (open) {
            return new TreeMap<>(figures);
        }
    }

    /**
     * Which breakers have not closed again.
     *
     * @return their names
     */
    public Set<String> stillOpen() {
        synchronized (open) {
            return Set.copyOf(open);
        }
    }
}
