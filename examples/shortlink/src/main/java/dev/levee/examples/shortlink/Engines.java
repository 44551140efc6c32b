package dev.levee.examples.shortlink;

/**
 * Which servers of their own the service runs on, besides its processes.
 *
 * @param redis whether two fronts share their limits on Redis, and nodes keep links there
 * @param replicas whether the database is PostgreSQL with a replica, and not H2
 */
public record Engines(boolean redis, boolean replicas) {
    /** None: one front, and H2. */
    public static final Engines NONE = new Engines(false, false);

    /**
     * Whether there is none.
     *
     * @return whether all is as on one machine
     */
    public boolean none() {
        return !redis && !replicas;
    }
}
