package dev.levee.jdbc.routing;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.Map;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

@EnabledIfSystemProperty(named = "os.arch", matches = "amd64|x86_64")
class PostgresRoutingTest {
    @Test
    void smoke() throws Exception {
        long t = System.nanoTime();
        try (ReplicatedPostgres pg = ReplicatedPostgres.start(2)) {
            System.out.println("up " + (System.nanoTime() - t) / 1000000);
            Map<String, DataSource> nodes = new LinkedHashMap<>();
            pg.nodes().forEach(n -> nodes.put(n.name(), n.dataSource()));
            try (RoutingDataSource ds = RoutingDataSource.of("db", nodes)) {
                try (var c = ds.getConnection(); var s = c.createStatement()) {
                    s.execute("create table x (id int)");
                }
                Thread.sleep(2500);
                System.out.println(ds.nodes());
                for (int i = 0; i < 5; i++)
                try (var c = ds.reads().getConnection(); var s = c.createStatement(); var r = s.executeQuery("select inet_server_port(), pg_is_in_recovery()")) {
                    r.next();
                    System.out.println(r.getInt(1) + " " + r.getBoolean(2));
                }
                assertThat(ds.nodes()).hasSize(3);
            }
        }
        System.out.println("down " + (System.nanoTime() - t) / 1000000);
    }
}
