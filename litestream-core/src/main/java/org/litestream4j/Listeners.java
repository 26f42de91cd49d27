package org.litestream4j;

import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** All listeners: none of them disturbs the others, or who tells them. */
final class Listeners implements LitestreamListener {

    private static final Logger log = LoggerFactory.getLogger(Listeners.class);

    private final List<LitestreamListener> all;

    Listeners(List<LitestreamListener> all) {
        this.all = List.copyOf(all);
    }

    @Override
    public void onEvent(LitestreamEvent event) {
        for (LitestreamListener listener : all) {
            try {
                listener.onEvent(event);
            } catch (Throwable e) { // a lane must go on, whatever a stranger does
                log.warn(
                        "listener failed: db={} event={}",
                        event.database(),
                        event.getClass().getSimpleName(),
                        e);
            }
        }
    }
}
