package org.litestream4j.spring;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.BeanFactoryUtils;
import org.springframework.beans.factory.ListableBeanFactory;

/**
 * Several connection details, as of a Compose file with several stores. Of each value, the one that provides it is used:
 * a MinIO store has no settings for the scheme {@code nats}.
 */
final class SeveralConnectionDetails implements LitestreamConnectionDetails {

    private static final String REMEDY =
            "Keep the one that has the replica: remove the other's @ServiceConnection, or give its"
                    + " Compose service the label org.springframework.boot.ignore: true. Or declare one of the beans @Primary.";

    private final Map<String, LitestreamConnectionDetails> beans;

    /** @param beans by bean name */
    SeveralConnectionDetails(Map<String, LitestreamConnectionDetails> beans) {
        this.beans = new TreeMap<>(beans);
    }

    /** Returns the only or primary bean, or all beans together. */
    static LitestreamConnectionDetails of(ListableBeanFactory factory) {
        LitestreamConnectionDetails only =
                factory.getBeanProvider(LitestreamConnectionDetails.class).getIfUnique();
        return only != null
                ? only
                : new SeveralConnectionDetails(
                        BeanFactoryUtils.beansOfTypeIncludingAncestors(factory, LitestreamConnectionDetails.class));
    }

    /** @throws LitestreamSettingException if several provide an address; names them */
    @Override
    public @Nullable String getUrl() {
        return only(LitestreamConnectionDetails::getUrl, url -> true, "the address of the replica");
    }

    /** @throws LitestreamSettingException if several provide settings for the scheme; names them */
    @Override
    public Map<String, String> getSettings(String scheme) {
        Map<String, String> settings = only(
                details -> details.getSettings(scheme),
                provided -> !provided.isEmpty(),
                "settings for replicas with URLs of " + scheme + "://");
        return settings == null ? Map.of() : settings;
    }

    private <T> @Nullable T only(
            Function<LitestreamConnectionDetails, @Nullable T> read, Predicate<T> isProvided, String what) {
        List<String> names = new ArrayList<>();
        T only = null;
        for (Map.Entry<String, LitestreamConnectionDetails> bean : beans.entrySet()) {
            T value = read.apply(bean.getValue());
            if (value != null && isProvided.test(value)) {
                only = value;
                names.add(bean.getKey());
            }
        }
        if (names.size() > 1) {
            throw new LitestreamSettingException(
                    "Several connection details provide " + what + ": the beans \"" + String.join("\" and \"", names)
                            + "\".",
                    REMEDY);
        }
        return only;
    }
}
