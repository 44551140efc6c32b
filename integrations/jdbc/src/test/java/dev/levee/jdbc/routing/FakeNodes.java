package dev.levee.jdbc.routing;

import dev.levee.core.testing.ManualTime;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLClientInfoException;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.h2.jdbcx.JdbcDataSource;

/** Nodes that are H2 databases in memory, each for itself; what they are to each other is set by the test. */
final class FakeNodes implements AutoCloseable {
    private static final AtomicInteger NUMBERS = new AtomicInteger();

    final ManualTime time = new ManualTime();
    final Map<String, Node> nodes = new LinkedHashMap<>();
    RoutingDataSource routing;

    FakeNodes(String... names) throws SQLException {
        for (String name : names) {
            nodes.put(name, new Node(name));
        }
    }

    FakeNodes start(Consumer<RoutingConfig.Builder> configure) {
        Map<String, DataSource> sources = new LinkedHashMap<>();
        nodes.forEach((name, node) -> sources.put(name, node.source()));
        routing = RoutingDataSource.of(
                "db", sources, config -> configure.accept(config.probe(new Probe())), time.environment());
        time.runReady();
        return this;
    }

    FakeNodes start() {
        return start(config -> {});
    }

    Node node(String name) {
        return nodes.get(name);
    }

    /** Lets all nodes be probed once more. */
    void probe() {
        time.advance(Duration.ofMillis(1200));
    }

    String primary() {
        return routing.nodes().stream()
                .filter(NodeStatus::primary)
                .map(NodeStatus::name)
                .findFirst()
                .orElse("");
    }

    List<String> readable() {
        return routing.nodes().stream()
                .filter(NodeStatus::readable)
                .map(NodeStatus::name)
                .toList();
    }

    NodeStatus status(String name) {
        return routing.nodes().stream()
                .filter(it -> it.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /** Which node answers on a connection. */
    static String who(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT name FROM who")) {
            row.next();
            return row.getString(1);
        }
    }

    static String who(DataSource source) throws SQLException {
        try (Connection connection = source.getConnection()) {
            return who(connection);
        }
    }

    @Override
    public void close() {
        if (routing != null) {
            routing.close();
            time.runReady(); // a probe that was requested gives back what it has
        }
    }

    /** One database. */
    static final class Node {
        final String name;
        final String url;
        final JdbcDataSource database = new JdbcDataSource();
        final AtomicInteger opened = new AtomicInteger();
        final AtomicInteger closed = new AtomicInteger();
        final List<String> calls = new ArrayList<>();
        final List<Integer> networkTimeouts = new CopyOnWriteArrayList<>();
        private final Connection keeps;
        volatile boolean writable;
        volatile long position;
        volatile long timeline;
        volatile String cluster = "";
        volatile boolean dead;
        volatile boolean refuses;
        volatile boolean manual;
        volatile boolean failsPosition;
        volatile String fails = "";

        Node(String name) throws SQLException {
            this.name = name;
            this.url = "jdbc:h2:mem:fake" + NUMBERS.incrementAndGet();
            database.setURL(url);
            keeps = database.getConnection();
            try (Statement statement = keeps.createStatement()) {
                statement.execute("CREATE TABLE who (name VARCHAR(20)); INSERT INTO who VALUES ('" + name + "')");
                statement.execute("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(100), b BLOB)");
            }
        }

        Node primary(long at) {
            writable = true;
            position = at;
            return this;
        }

        Node replica(long at) {
            writable = false;
            position = at;
            return this;
        }

        Node timeline(long value) {
            timeline = value;
            return this;
        }

        int lent() {
            return opened.get() - closed.get();
        }

        String value(int id) throws SQLException {
            try (Statement statement = keeps.createStatement();
                    ResultSet row = statement.executeQuery("SELECT v FROM t WHERE id = " + id)) {
                return row.next() ? row.getString(1) : null;
            }
        }

        DataSource source() {
            return (DataSource) Proxy.newProxyInstance(
                    Node.class.getClassLoader(), new Class<?>[] {DataSource.class}, (proxy, method, arguments) -> {
                        if (!method.getName().equals("getConnection")) {
                            return method.invoke(database, arguments);
                        }
                        if (dead || refuses) {
                            throw new SQLTransientConnectionException(name + " is dead", "08001");
                        }
                        opened.incrementAndGet();
                        Connection real = database.getConnection();
                        real.setAutoCommit(!manual);
                        return counted(real);
                    });
        }

        private static void setClientInfo(Properties info, Object[] arguments) {
            if (arguments.length == 1) {
                Properties given = (Properties) ((Properties) arguments[0]).clone();
                info.clear();
                info.putAll(given);
            } else if (arguments[1] == null) {
                info.remove(arguments[0]);
            } else {
                info.put(arguments[0], arguments[1]);
            }
        }

        /** Counts its first close, fails while the node is dead, and keeps the settings that H2 does not have. */
        @SuppressWarnings("unchecked")
        private Connection counted(Connection real) {
            boolean[] ended = new boolean[1];
            boolean[] readOnly = new boolean[1];
            int[] networkTimeout = new int[1];
            Properties clientInfo = new Properties();
            clientInfo.setProperty("ApplicationName", "pool");
            Map<String, Class<?>> types = new HashMap<>();
            return (Connection) Proxy.newProxyInstance(
                    Node.class.getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                        String called = method.getName();
                        synchronized (calls) {
                            calls.add(called + (arguments == null ? "" : " " + arguments[0]));
                        }
                        if (fails.equals(called + (arguments == null ? "" : " " + arguments[0]))) {
                            throw called.equals("setClientInfo")
                                    ? new SQLClientInfoException(name + " does not " + fails, Map.of())
                                    : new SQLException(name + " does not " + fails);
                        }
                        if (called.equals("close")) {
                            closed.addAndGet(ended[0] ? 0 : 1);
                            ended[0] = true;
                        } else if (called.equals("setReadOnly")) {
                            readOnly[0] = (Boolean) arguments[0];
                            return null;
                        } else if (called.equals("isReadOnly")) {
                            return readOnly[0];
                        } else if (called.equals("setNetworkTimeout")) {
                            networkTimeout[0] = (Integer) arguments[1];
                            networkTimeouts.add(networkTimeout[0]);
                            return null;
                        } else if (called.equals("getNetworkTimeout")) {
                            return networkTimeout[0];
                        } else if (called.equals("setClientInfo")) {
                            setClientInfo(clientInfo, arguments);
                            return null;
                        } else if (called.equals("getClientInfo")) {
                            return arguments == null ? clientInfo : clientInfo.getProperty((String) arguments[0]);
                        } else if (called.equals("setTypeMap")) {
                            Map<String, Class<?>> given = new HashMap<>((Map<String, Class<?>>) arguments[0]);
                            types.clear();
                            types.putAll(given);
                            return null;
                        } else if (called.equals("getTypeMap")) {
                            return types;
                        } else if (dead && !called.equals("isClosed")) {
                            throw new SQLException(name + " is dead", "08006");
                        }
                        try {
                            return method.invoke(real, arguments);
                        } catch (InvocationTargetException e) {
                            throw e.getCause();
                        }
                    });
        }
    }

    private final class Probe implements ReplicationProbe {
        private Node of(Connection connection) throws SQLException {
            String url = connection.getMetaData().getURL();
            return nodes.values().stream()
                    .filter(it -> it.url.equals(url))
                    .findFirst()
                    .orElseThrow();
        }

        @Override
        public NodeReading read(Connection connection) throws SQLException {
            Node node = of(connection);
            return new NodeReading(node.writable, node.position, node.timeline, node.cluster);
        }

        @Override
        public long position(Connection connection) throws SQLException {
            if (of(connection).failsPosition) {
                throw new SQLException("no position");
            }
            return of(connection).position;
        }
    }
}
