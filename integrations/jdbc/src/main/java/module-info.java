/** Idempotency keys in a database. */
module dev.levee.jdbc {
    requires transitive dev.levee.core;
    requires transitive java.sql;
    requires static transitive org.jspecify;

    exports dev.levee.jdbc;
}
