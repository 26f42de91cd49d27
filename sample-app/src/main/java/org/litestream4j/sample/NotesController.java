package org.litestream4j.sample;

import java.io.IOException;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;

/** Notes over HTTP. */
@RestController
@RequestMapping(path = "/api/notes", produces = MediaType.APPLICATION_JSON_VALUE)
class NotesController {

    private static final int LONGEST_TEXT = 10_000;
    private static final int MOST_NOTES = 100_000;

    private final Notes notes;
    private final PastNotes past;

    NotesController(Notes notes, PastNotes past) {
        this.notes = notes;
        this.past = past;
    }

    @GetMapping
    List<Note> newest(@RequestParam(defaultValue = "50") int limit, @RequestParam @Nullable Instant asOf)
            throws IOException {
        if (limit < 1 || limit > MOST_NOTES) {
            throw new ResponseStatusException(HttpStatus.BAD_REQUEST, "limit must be from 1 to " + MOST_NOTES);
        }
        return asOf == null ? notes.newest(limit) : past.asOf(asOf, limit);
    }

    @PostMapping
    @ResponseStatus(HttpStatus.CREATED)
    Note add(@RequestBody NewNote note) {
        String text = note.text();
        if (text == null || text.isBlank() || text.length() > LONGEST_TEXT) {
            throw new ResponseStatusException(
                    HttpStatus.BAD_REQUEST, "text must have from 1 to " + LONGEST_TEXT + " characters");
        }
        return notes.add(text.strip());
    }

    @DeleteMapping("/{id}")
    ResponseEntity<Void> delete(@PathVariable long id) {
        return notes.delete(id)
                ? ResponseEntity.noContent().build()
                : ResponseEntity.notFound().build();
    }

    record NewNote(@Nullable String text) {}
}
