package dev.levee.micrometer;

/** What a poll changes about the meters. */
interface SeriesChanges {
    /** Receives series that are to have meters. */
    void came(SeriesGroup group);

    /** Receives series that are gone. */
    void gone(SeriesGroup group);
}
