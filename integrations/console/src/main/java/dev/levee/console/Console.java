package dev.levee.console;

import dev.levee.core.Environment;
import dev.levee.core.Listener;
import dev.levee.core.Measured;
import dev.levee.core.internal.Require;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * A live page of pipelines, balancers, limits and caches of this process, served by the JDK's own HTTP server.
 *
 * <pre>{@code
 * Console console = Console.start(8090).show(guard, balancer, cache);   // http://127.0.0.1:8090/
 * }</pre>
 *
 * <p>Each thing that is shown has a card: the policies in their order, their states, charts of calls, failures, latency
 * and saturation, endpoints with their health and share, and every figure as text. Cards are sorted by trouble. For the
 * list of events give {@link #listener} to the {@link Environment} of the policies:
 *
 * <pre>{@code
 * Console console = Console.start(8090);
 * Environment environment = Environment.builder().listener(console.listener()).build();
 * console.show(Pipeline.of(Retry.of("payments", retry -> {}, environment)));
 * }</pre>
 *
 * <p><b>Safe by default.</b> It listens on loopback, answers to the names of loopback alone, and only shows. With a
 * {@linkplain ConsoleConfig.Builder#token token} the page has buttons too: a breaker is forced open or reset,
 * {@linkplain dev.levee.core.policy.Faults faults} are switched on for a while or off, and the {@linkplain #action
 * actions} of the application run; each asks for a reason, which is logged and shown among the events. No exception and
 * no token is ever shown; the key of a caller only if it is counted as a hot key, or in the name of a policy, as a
 * {@code Keyed} may give it one. See ADR 139.
 *
 * <p><b>Costs.</b> Nothing is read, and no timer of the console runs, unless a page is open; then the figures are read
 * once a second, for all pages together. The history in the charts is kept by the page. Of many keys those in trouble
 * and the busiest are shown, and the number of the others. Memory is bounded, whatever is shown. The JDK's server has a
 * thread that waits for connections, and each open page holds one more. See ADR 138.
 *
 * <p>Not a metrics system: for history, alerts and many processes use a bridge to one. Thread-safe.
 *
 * @since 0.1
 */
public final class Console implements AutoCloseable {
    private final Board board;
    private final ConsoleServer server;
    private final Listener listener;
    private final URI address;

    private Console(ConsoleConfig config, Environment environment) {
        board = new Board(config, environment);
        listener = new EventFeed(board.events, environment.clock());
        try {
            server = new ConsoleServer(config, board, environment);
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "console cannot listen on " + config.bind().getHostAddress() + ":" + config.port(), e);
        }
        address = address(config.bind(), server.address());
        ConsoleLog.started(address.toString(), config.token() == null);
    }

    /**
     * Serves a page that only shows, on loopback.
     *
     * @param port the port, 0 for any that is free
     * @return the console, serving; shows nothing yet
     * @throws IllegalArgumentException if the port is not from 0 to 65 535
     * @throws UncheckedIOException if the port is in use
     */
    public static Console start(int port) {
        return start(config -> config.port(port));
    }

    /**
     * Serves a page that only shows, on loopback, in an environment.
     *
     * @param port the port, 0 for any that is free
     * @param environment where time and waiting come from
     * @return the console, serving; shows nothing yet
     * @throws NullPointerException if {@code environment} is null
     * @throws IllegalArgumentException if the port is not from 0 to 65 535
     * @throws UncheckedIOException if the port is in use
     */
    public static Console start(int port, Environment environment) {
        return start(config -> config.port(port), environment);
    }

    /**
     * Serves a page with settings of your choice.
     *
     * @param configure sets what differs from the defaults
     * @return the console, serving; shows nothing yet
     * @throws NullPointerException if {@code configure} is null, or a setting is
     * @throws IllegalArgumentException if a setting is out of its range
     * @throws UncheckedIOException if the port is in use
     */
    public static Console start(Consumer<? super ConsoleConfig.Builder> configure) {
        return start(configure, Environment.system());
    }

    /**
     * Serves a page with settings of your choice, in an environment.
     *
     * @param configure sets what differs from the defaults
     * @param environment where time and waiting come from
     * @return the console, serving; shows nothing yet
     * @throws NullPointerException if an argument is null, or a setting is
     * @throws IllegalArgumentException if a setting is out of its range
     * @throws UncheckedIOException if the port is in use
     */
    public static Console start(Consumer<? super ConsoleConfig.Builder> configure, Environment environment) {
        Require.nonNull("environment", environment);
        ConsoleConfig config =
                Require.configured("console", "page", ConsoleConfig.builder(), configure, ConsoleConfig.Builder::build);
        return new Console(config, environment);
    }

    /**
     * Shows things, each on a card of its own: a pipeline, a policy that measures, a balancer, a cache, keyed policies
     * or limits, or whatever else is {@link Measured}. They are held until {@link #hide} or the end of the console.
     *
     * @param shown what to show; its {@code measure} is called once a second while a page is open, on a thread of the
     *     console
     * @return this
     * @throws NullPointerException if {@code shown} or one of them is null
     * @throws IllegalStateException if 1000 cards are shown already
     */
    public Console show(Measured... shown) {
        for (Measured each : Require.nonNull("shown", shown).clone()) {
            board.show(null, Require.nonNull("shown", each));
        }
        return this;
    }

    /**
     * Shows several things on one card, such as a pipeline with the balancer that it calls and the cache in front.
     *
     * @param name the name of the card
     * @param parts what is on it, outermost first
     * @return this
     * @throws NullPointerException if an argument or a part is null
     * @throws IllegalArgumentException if the name is blank or has a control character, or there is no part
     * @throws IllegalStateException if 1000 cards are shown already
     */
    public Console show(String name, Measured... parts) {
        board.show(Require.name(name), parts);
        return this;
    }

    /**
     * Returns the counters of hot keys that are shown on the card of a name. Count a key there where it is refused, or
     * wherever it says most:
     *
     * <pre>{@code
     * HotKeys hot = console.hotKeys("clients");
     * if (!limiter.tryAcquire(client)) {
     *     hot.count(client);
     * }
     * }</pre>
     *
     * <p>For the busiest keys count once, where the limit or the cache is made: in {@code keyBy} of a limit, which sees
     * the key of every call, or in the loader of a cache, which sees that of every miss.
     *
     * @param card the name of the card, of this or a later {@link #show(String, Measured...)}
     * @return the counters, always the same ones for a name
     * @throws NullPointerException if the name is null
     * @throws IllegalArgumentException if it is blank or has a control character
     * @throws IllegalStateException if there are counters for 1000 cards already
     */
    public HotKeys hotKeys(String card) {
        return board.hotKeys(Require.name(card));
    }

    /**
     * Takes a thing off the page, with the cards that it is on.
     *
     * @param shown what was shown
     * @return whether it was
     * @throws NullPointerException if it is null
     */
    public boolean hide(Measured shown) {
        return board.hide(shown);
    }

    /**
     * Adds a button for a rehearsal, or whatever an operator must be able to do. It is there only if the console has a
     * token.
     *
     * @param name what the button says
     * @param action runs on a thread of the console when the button is pressed, after a confirmation; what it throws is
     *     logged
     * @return this
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     * @throws IllegalStateException if there are 50 already
     */
    public Console action(String name, Runnable action) {
        Require.nonNull("action", action);
        board.controls.add(Require.name(name), on -> action.run(), null);
        return this;
    }

    /**
     * Adds a switch; see {@link #action}.
     *
     * @param name what the button says
     * @param change receives true to switch on, and false to switch off
     * @param on whether it is on; asked once a second while a page is open
     * @return this
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     * @throws IllegalStateException if there are 50 already
     */
    public Console toggle(String name, Consumer<Boolean> change, BooleanSupplier on) {
        board.controls.add(Require.name(name), Require.nonNull("change", change), Require.nonNull("on", on));
        return this;
    }

    /**
     * Returns the listener whose events the page lists: changes of state one by one, and refusals, repeats and
     * substitutes as one line for each policy and five seconds. Give it to {@link Environment.Builder#listener}. The
     * last 200 lines are kept.
     *
     * @return the listener, always the same one
     */
    public Listener listener() {
        return listener;
    }

    /**
     * Returns where the page is.
     *
     * @return a URI with the port that was taken
     */
    public URI address() {
        return address;
    }

    /** Ends all pages and stops serving. What was shown is not touched. Closing again does nothing. */
    @Override
    public void close() {
        server.close();
    }

    /** How often figures have been read. */
    long reads() {
        return board.reads();
    }

    /** How many pages follow. */
    int pages() {
        return server.streams();
    }

    private static URI address(InetAddress bind, InetSocketAddress taken) {
        String host =
                bind.isAnyLocalAddress() ? InetAddress.getLoopbackAddress().getHostAddress() : bind.getHostAddress();
        return URI.create("http://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + taken.getPort() + "/");
    }
}
