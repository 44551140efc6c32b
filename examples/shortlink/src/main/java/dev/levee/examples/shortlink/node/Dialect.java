package dev.levee.examples.shortlink.node;

import javax.sql.DataSource;
import org.h2.jdbcx.JdbcDataSource;
import org.postgresql.ds.PGSimpleDataSource;

/** What is said in one way to H2, and in another one to PostgreSQL. */
enum Dialect {
    /** One process of ours. */
    H2 {
        @Override
        String addLink() {
            return "INSERT INTO link VALUES (?, ?)";
        }

        @Override
        String setLink() {
            return "MERGE INTO link VALUES (?, ?)";
        }

        @Override
        String setClicks(int rows) {
            return "MERGE INTO click (code, source, clicks) KEY (code, source) VALUES " + tuples(rows);
        }

        @Override
        DataSource dataSource(String url) {
            JdbcDataSource source = new JdbcDataSource();
            source.setURL(url);
            source.setUser("sa");
            source.setPassword("");
            return source;
        }
    },

    /** A primary and a replica. */
    POSTGRESQL {
        /** A failed insert would end the transaction that it is in: PostgreSQL takes nothing after it. */
        @Override
        String addLink() {
            return "INSERT INTO link VALUES (?, ?) ON CONFLICT DO NOTHING";
        }

        @Override
        String setLink() {
            return "INSERT INTO link VALUES (?, ?) ON CONFLICT (code) DO UPDATE SET url = EXCLUDED.url";
        }

        /** A count only grows: a statement that was sent before another one and comes after it changes nothing. */
        @Override
        String setClicks(int rows) {
            return "INSERT INTO click (code, source, clicks) VALUES " + tuples(rows)
                    + " ON CONFLICT (code, source) DO UPDATE SET clicks = GREATEST(click.clicks, EXCLUDED.clicks)";
        }

        @Override
        DataSource dataSource(String url) {
            PGSimpleDataSource source = new PGSimpleDataSource();
            source.setUrl(url);
            return source;
        }
    };

    static Dialect of(String url) {
        return url.startsWith("jdbc:postgresql:") ? POSTGRESQL : H2;
    }

    /** Adds a link unless its code is there: no row then, or a violation of integrity. */
    abstract String addLink();

    /** Adds a link, or replaces the one that has its code. */
    abstract String setLink();

    /** Sets several counts at once: code, source and clicks of each. */
    abstract String setClicks(int rows);

    /** Connects without a password: the database listens on loopback only, and trusts every client on it. */
    abstract DataSource dataSource(String url);

    private static String tuples(int rows) {
        return "(?, ?, ?)" + ", (?, ?, ?)".repeat(rows - 1);
    }
}
