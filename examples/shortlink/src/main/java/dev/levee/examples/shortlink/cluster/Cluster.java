package dev.levee.examples.shortlink.cluster;

import dev.levee.core.Measured;
import dev.levee.examples.shortlink.UsageException;
import dev.levee.examples.shortlink.Without;
import dev.levee.examples.shortlink.database.DatabaseServer;
import dev.levee.examples.shortlink.node.Code;
import dev.levee.examples.shortlink.node.LinkTable;
import java.net.URI;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One database, three nodes and a front, each a process of its own on the loopback interface.
 *
 * <p>Not thread-safe, except {@link #close}.
 */
public final class Cluster implements AutoCloseable {
    /** How many nodes there are. */
    public static final int NODES = 3;

    private final Path data;
    private final Without without;
    private final Events events;
    private final int[] ports = new int[NODES];
    private final AtomicReferenceArray<@Nullable ChildProcess> nodes = new AtomicReferenceArray<>(NODES);
    private final List<ChildProcess> all = new ArrayList<>();
    private @Nullable ChildProcess database;
    private @Nullable ChildProcess front;
    private int databasePort;
    private int frontPort;
    private boolean closed;

    private Cluster(Path data, Without without, Events events) {
        this.data = data;
        this.without = without;
        this.events = events;
    }

    /**
     * Starts all processes, and sees to it that they end with this one.
     *
     * @param port of the front, 0 for any
     * @param data where the database keeps its file
     * @param urls what has a link from the beginning
     * @param without what is taken out
     * @param events hears what happens in the processes
     * @return the cluster, serving and warm
     * @throws UsageException if one cannot start; none is left then
     * @throws InterruptedException if the thread is interrupted
     */
    public static Cluster start(int port, Path data, List<String> urls, Without without, Events events)
            throws UsageException, InterruptedException {
        Cluster cluster = new Cluster(data, without, events);
        Runtime.getRuntime().addShutdownHook(new Thread(cluster::close, "stop cluster"));
        cluster.startDatabase();
        try {
            LinkTable.seed(DatabaseServer.url(cluster.databasePort), urls);
        } catch (SQLException e) {
            throw new UsageException("cannot store the URLs: " + e.getMessage());
        }
        for (int node = 0; node < NODES; node++) {
            cluster.launchNode(node);
        }
        for (int node = 0; node < NODES; node++) {
            cluster.awaitNode(node);
        }
        String uris = String.join(
                ",",
                Arrays.stream(cluster.ports)
                        .mapToObj(it -> loopback(it).toString())
                        .toList());
        ChildProcess front = cluster.launch("front", "front", String.valueOf(port), uris, without.name());
        cluster.front = front;
        cluster.frontPort = front.port();
        WarmUp.of(cluster.front(), Code.of(urls.get(0), 0));
        return cluster;
    }

    /** Starts the database, at its old port if it had one. */
    public void startDatabase() throws UsageException, InterruptedException {
        database = launch("database", "database", String.valueOf(databasePort), data.toString());
        databasePort = database.port();
    }

    /**
     * Where the database is.
     *
     * @return a JDBC URL
     */
    public String database() {
        return DatabaseServer.url(databasePort);
    }

    /** Sends SIGKILL to the database. */
    public void killDatabase() {
        Objects.requireNonNull(database).kill();
    }

    /**
     * Makes every statement of the database take longer.
     *
     * @param delay by how much; zero for none
     */
    public void slowDatabase(Duration delay) {
        Objects.requireNonNull(database).tell("slow " + delay.toMillis());
    }

    /** Sends SIGKILL to a node. */
    public void killNode(int node) {
        child(node).kill();
    }

    /** Starts a node that was killed, at its old port. */
    public void startNode(int node) throws UsageException, InterruptedException {
        launchNode(node);
        awaitNode(node);
    }

    /**
     * What a node calls itself in its answers: it changes when the node is started again, since its cache is empty
     * then.
     *
     * @param node which one
     * @return the name
     */
    public String incarnation(int node) {
        return name(node) + "/" + child(node).pid();
    }

    /**
     * Where the front serves.
     *
     * @return its address, without a path
     */
    public URI front() {
        return loopback(frontPort);
    }

    /**
     * What runs.
     *
     * @return a line for each process, with its process id
     */
    public String processes() {
        synchronized (all) {
            return all.stream()
                    .map(child -> "  %-10s pid %d%n".formatted(child.name(), child.pid()))
                    .collect(Collectors.joining());
        }
    }

    private static URI loopback(int port) {
        return URI.create("http://127.0.0.1:" + port);
    }

    private static String name(int node) {
        return "node-" + (node + 1);
    }

    private void launchNode(int node) throws UsageException {
        ChildProcess child = launch(
                name(node),
                "node",
                name(node),
                String.valueOf(ports[node]),
                DatabaseServer.url(databasePort),
                data.resolve("clicks").resolve(name(node)).toString(),
                without.name());
        nodes.set(node, child);
    }

    private ChildProcess child(int node) {
        return Objects.requireNonNull(nodes.get(node));
    }

    /**
     * What the policies of a node measure, also after it was started again.
     *
     * @param node which one
     * @return the figures; none while it is down
     */
    public Measured nodeFigures(int node) {
        return sink -> child(node).measure(sink);
    }

    /**
     * What the policies of the front measure.
     *
     * @return the figures
     */
    public Measured frontFigures() {
        return sink -> Objects.requireNonNull(front).measure(sink);
    }

    private void awaitNode(int node) throws UsageException, InterruptedException {
        ports[node] = child(node).port();
    }

    private ChildProcess launch(String name, String... arguments) throws UsageException {
        synchronized (all) {
            if (closed) {
                throw new UsageException("stopped");
            }
            ChildProcess child = ChildProcess.start(name, events, arguments);
            all.add(child);
            return child;
        }
    }

    /** Ends all processes; returns when the last one has ended. */
    @Override
    public void close() {
        synchronized (all) {
            closed = true;
            all.forEach(ChildProcess::cutLifeline);
            all.forEach(ChildProcess::close);
        }
    }
}
