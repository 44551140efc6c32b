package dev.levee.core;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.policy.Bulkhead;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients whose methods return what a library of others computes later, as types of those names. */
class ForeignResultsTest {
    @TempDir
    private Path folder;

    private Path write(String type, String body) throws IOException {
        Path file = folder.resolve(type.replace('.', '/') + ".java");
        Files.createDirectories(file.getParent());
        return Files.writeString(file, "package " + type.substring(0, type.lastIndexOf('.')) + "; " + body, UTF_8);
    }

    private Class<?> compiled(String main, Path... files) throws Exception {
        String[] arguments = new String[files.length + 2];
        arguments[0] = "-d";
        arguments[1] = folder.toString();
        for (int i = 0; i < files.length; i++) {
            arguments[i + 2] = files[i].toString();
        }
        assertThat(ToolProvider.getSystemJavaCompiler().run(null, null, null, arguments))
                .isZero();
        URL[] urls = {folder.toUri().toURL()};
        return Class.forName(main, true, new URLClassLoader(urls, getClass().getClassLoader()));
    }

    private static <I> I wrapped(Class<I> type, @Nullable Policy policy) {
        Object client = Proxy.newProxyInstance(
                type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> null);
        return Policy.wrap(type, type.cast(client), method -> method.getName().equals("later") ? policy : null);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "org.reactivestreams.Publisher",
                "com.twitter.util.Future",
                "io.reactivex.CompletableSource",
                "io.reactivex.MaybeSource",
                "io.reactivex.ObservableSource",
                "io.reactivex.SingleSource",
                "io.reactivex.rxjava3.core.CompletableSource",
                "io.reactivex.rxjava3.core.MaybeSource",
                "io.reactivex.rxjava3.core.ObservableSource",
                "io.reactivex.rxjava3.core.SingleSource",
                "io.smallrye.mutiny.Uni",
                "io.vavr.concurrent.Future",
                "io.vertx.core.Future",
                "kotlinx.coroutines.Job",
                "kotlinx.coroutines.flow.Flow",
                "okhttp3.Call",
                "retrofit2.Call",
                "rx.Completable",
                "rx.Observable",
                "rx.Single",
                "scala.concurrent.Future"
            })
    void are_refused_when_the_client_is_wrapped(String type) throws Exception {
        String name = type.substring(type.lastIndexOf('.') + 1);
        Class<?> client = compiled(
                "a.Client",
                write(type, "public interface " + name + "<T> {}"),
                write("a.Narrow", "public interface Narrow extends " + type + "<String> {}"),
                write("a.Client", "public interface Client { Narrow later(); int now(); }"));
        assertThat(wrapped(client, null)).as("unguarded").isNotNull();
        assertThatThrownBy(() -> wrapped(client, Bulkhead.of("b", 1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("Client.later() cannot be guarded to its end, because it returns a.Narrow");
    }

    @ParameterizedTest
    @ValueSource(strings = {"kotlin.coroutines.Continuation"})
    void of_methods_that_suspend_are_refused_as_well(String type) throws Exception {
        Class<?> client = compiled(
                "a.Client",
                write(type, "public interface Continuation<T> {}"),
                write("a.Client", "public interface Client { Object later(int id, " + type + "<String> then); }"));
        assertThatThrownBy(() -> wrapped(client, Bulkhead.of("b", 1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("Client.later(");
    }
}
