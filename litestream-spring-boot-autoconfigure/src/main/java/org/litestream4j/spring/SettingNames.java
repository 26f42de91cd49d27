package org.litestream4j.spring;

import org.litestream4j.error.OptionNames;
import org.springframework.boot.context.properties.bind.DataObjectPropertyName;

/** Names the core's options as settings: {@code litestream.adopt-replica=true}. */
enum SettingNames implements OptionNames {
    INSTANCE;

    @Override
    public String name(String option, String value) {
        if (option.equals("force")) { // of a restore, not a setting
            return PLAIN.name(option, value);
        }
        return PLAIN.name("litestream." + DataObjectPropertyName.toDashedForm(option), value);
    }
}
