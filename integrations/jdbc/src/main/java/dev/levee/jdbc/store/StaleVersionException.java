package dev.levee.jdbc.store;

/**
 * A value was not saved, because the row has a version that is not lower.
 *
 * @since 0.1
 */
public final class StaleVersionException extends JdbcStoreException {
    private static final long serialVersionUID = 1L;

    /** The version of the value that was not saved. */
    private final long version;

    /** The version of the row. */
    private final long stored;

    StaleVersionException(String subject, long version, long stored) {
        super(subject + ": version " + version + " was not saved, because the row has version " + stored, null);
        this.version = version;
        this.stored = stored;
    }

    /**
     * Returns the version of the value that was not saved.
     *
     * @return what the value says
     */
    public long version() {
        return version;
    }

    /**
     * Returns the version of the row.
     *
     * @return what was read; a higher one may be there by now
     */
    public long stored() {
        return stored;
    }
}
