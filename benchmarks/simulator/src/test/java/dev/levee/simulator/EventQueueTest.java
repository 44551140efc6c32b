package dev.levee.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class EventQueueTest {

    /** One of the events that the property adds, moves and removes. */
    private static final class Numbered extends Event {
        private final int number;
        private long time;
        private long order;

        Numbered(int number) {
            this.number = number;
        }

        @Override
        protected void happen() {}

        @Override
        public String toString() {
            return "event " + number;
        }
    }

    @Property
    void gives_events_in_the_order_of_time_and_then_of_adding_however_they_were_added_moved_and_removed(
            @ForAll @Size(max = 200) List<@IntRange(min = 0, max = 4000) Integer> steps) {
        EventQueue queue = new EventQueue();
        List<Numbered> events = new ArrayList<>();
        List<Numbered> waiting = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            events.add(new Numbered(i));
        }
        long order = 0;
        for (int step : steps) {
            Numbered event = events.get(step % 20);
            if (step % 4 == 3) {
                queue.remove(event);
                waiting.remove(event);
            } else {
                event.time = step / 80;
                event.order = order++;
                queue.put(event, event.time);
                waiting.remove(event);
                waiting.add(event);
            }
        }
        waiting.sort(Comparator.<Numbered>comparingLong(it -> it.time).thenComparingLong(it -> it.order));

        List<Event> taken = new ArrayList<>();
        while (queue.size() > 0) {
            taken.add(queue.takeFirst());
        }

        assertThat(taken).isEqualTo(waiting);
        assertThat(events).noneMatch(Event::isPending);
    }
}
