package dev.levee.examples.shortlink.database;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CallFuture;
import dev.levee.core.Environment;
import dev.levee.examples.shortlink.Backends;
import dev.levee.examples.shortlink.UsageException;
import dev.levee.examples.shortlink.node.LinkTable;
import java.nio.file.Path;
import java.sql.SQLTimeoutException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.h2.tools.Server;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SlowTriggerTest {
    @TempDir
    Path directory;

    @Test
    void a_statement_that_sleeps_in_the_database_ends_when_it_is_cancelled() throws UsageException {
        Server server = DatabaseServer.open(0, directory);
        ExecutorService executor = Executors.newCachedThreadPool();
        Backends backends = Backends.database(DatabaseServer.url(server.getPort()));
        Environment environment = Environment.builder().executor(executor).build();
        try (LinkTable table = LinkTable.of(backends, 1, environment)) {
            table.add("http://example.com").join();
            SlowTrigger.obey("slow 3600000");
            CompletableFuture<?> found = table.find("AAAAAAAA");
            while (SlowTrigger.running() == 0) {
                Thread.onSpinWait();
            }
            CallFuture.requestCancel(found, new CancellationException());

            assertThatThrownBy(found::join).hasCauseInstanceOf(SQLTimeoutException.class);
        } finally {
            SlowTrigger.obey("slow 0");
            executor.shutdown();
            server.stop();
        }
    }
}
