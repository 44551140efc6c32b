package dev.levee.examples.shortlink.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Environment;
import dev.levee.examples.shortlink.UsageException;
import dev.levee.examples.shortlink.database.DatabaseServer;
import java.nio.file.Path;
import org.h2.tools.Server;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClickCounterTest {
    @TempDir
    Path directory;

    private ClickCounter open(Server database, String source) throws UsageException {
        return ClickCounter.open(
                DatabaseServer.url(database.getPort()), source, directory.resolve("clicks"), Environment.system());
    }

    @Test
    void what_was_counted_without_a_database_is_there_once_it_is_back() throws Exception {
        Server database = DatabaseServer.open(0, directory);
        int port = database.getPort();
        ClickCounter before = open(database, "before");
        assertThat(before.count("AAAAAAAA")).isTrue();
        database.stop();
        assertThat(before.count("AAAAAAAA")).isTrue();
        assertThat(before.count("BBBBBBBB")).isTrue();
        before.close();

        Server again = DatabaseServer.open(port, directory);
        try (ClickCounter after = open(again, "after")) {
            assertThat(after.count("AAAAAAAA")).isTrue();
        }
        assertThat(ClickTable.totals(DatabaseServer.url(port)))
                .containsEntry("AAAAAAAA", 3L)
                .containsEntry("BBBBBBBB", 1L);
        again.stop();
    }

    @Test
    void a_folder_that_another_node_has_open_is_said() throws Exception {
        Server database = DatabaseServer.open(0, directory);
        try (ClickCounter one = open(database, "one")) {
            assertThat(one.count("AAAAAAAA")).isTrue();
            assertThatThrownBy(() -> open(database, "other"))
                    .isInstanceOf(UsageException.class)
                    .hasMessageContaining("journal of clicks");
        }
        database.stop();
    }
}
