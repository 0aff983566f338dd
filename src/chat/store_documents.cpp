// The part of Store that keeps documents and searches them.
#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "chat/ranking.hpp"
#include "chat/sql.hpp"
#include "chat/store.hpp"
#include "chat/terms.hpp"

namespace spillway::chat {
namespace {

constexpr std::string_view document_columns =
    "d.id, d.name, d.type, d.bytes, d.pages, d.chunks, d.embedding_model, d.created";
constexpr std::size_t candidates = 40;  // of each ranking

Document read_document(const Sql& row) {
    return {row.text(0),   row.text(1),   row.text(2), row.number(3),
            row.number(4), row.number(5), row.text(6), row.number(7)};
}

/// One row that `text` selects for the document `id` of `session`, or not_found.
template <class Read>
auto one(sqlite3* db, const std::string& columns, const std::string& join, std::string_view session,
         std::string_view id, std::int64_t number, Read read)
    -> Result<decltype(read(std::declval<Sql&>()))> {
    Sql row(db,
            "SELECT " + columns + " FROM documents d JOIN conversations c ON c.id = d.conversation " + join +
                " WHERE d.id = ?1 AND c.session = ?2 AND ?3 = ?3",
            id, session, number);
    if (row.next()) return read(row);
    if (auto status = row.status(); !status) return status.error();
    return fail(std::string(not_found_text));
}

Blob as_blob(const std::vector<float>& v) {
    return {{reinterpret_cast<const char*>(v.data()), v.size() * sizeof(float)}};  // NOLINT: as they lie
}

}  // namespace

Result<std::vector<Document>> Store::documents(std::string_view session, std::string_view conversation) {
    if (auto there = require(session, conversation); !there) return there.error();
    std::vector<Document> out;
    Sql rows(db_.get(),
             "SELECT " + std::string(document_columns) +
                 " FROM documents d WHERE d.conversation = ? ORDER BY d.created, d.id",
             conversation);
    while (rows.next()) out.push_back(read_document(rows));
    if (auto status = rows.status(); !status) return status.error();
    return out;
}

Result<Document> Store::document(std::string_view session, std::string_view id) {
    return one(db_.get(), std::string(document_columns), "", session, id, 0,
               [](Sql& row) { return read_document(row); });
}

Result<std::string> Store::document_content(std::string_view session, std::string_view id) {
    return one(db_.get(), "d.content", "", session, id, 0, [](Sql& row) { return row.text(0); });
}

Result<std::string> Store::page_text(std::string_view session, std::string_view id, std::int64_t page) {
    return one(db_.get(), "p.text", "JOIN pages p ON p.document = d.id AND p.number = ?3", session, id, page,
               [](Sql& row) { return row.text(0); });
}

Result<void> Store::add_document(std::string_view session, std::string_view conversation,
                                 const Document& document, std::string_view content,
                                 const std::vector<std::string>& pages,
                                 const std::vector<StoredChunk>& chunks) {
    if (auto there = require(session, conversation); !there) return there;
    return transaction([&]() -> Result<void> {
        auto done = Sql(db_.get(),
                        "INSERT INTO documents (id, conversation, name, type, bytes, pages, chunks, "
                        "embedding_model, created, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        document.id, conversation, document.name, document.type, document.bytes,
                        document.pages, static_cast<std::int64_t>(chunks.size()), document.embedding_model,
                        document.created, Blob{content})
                        .run();
        for (std::size_t i = 0; done && i < pages.size(); ++i)
            done = Sql(db_.get(), "INSERT INTO pages (document, number, text) VALUES (?, ?, ?)", document.id,
                       document.pages > 0 ? i + 1 : 0, pages[i])
                       .run();
        if (!done) return done;
        return add_chunks(document.id, chunks);
    });
}

Result<void> Store::add_chunks(std::string_view document, const std::vector<StoredChunk>& chunks) {
    for (const StoredChunk& chunk : chunks) {
        auto done =
            Sql(db_.get(), "INSERT INTO chunks (document, page, line, text, vector) VALUES (?, ?, ?, ?, ?)",
                document, chunk.page, chunk.line, chunk.text, as_blob(chunk.vector))
                .run();
        if (!done) return done;
        done = Sql(db_.get(), "INSERT INTO chunk_terms (rowid, terms) VALUES (?, ?)",
                   sqlite3_last_insert_rowid(db_.get()), index_text(chunk.text))
                   .run();
        if (!done) return done;
    }
    return {};
}

Result<void> Store::remove_document(std::string_view session, std::string_view id) {
    if (auto there = document(session, id); !there) return there.error();
    return Sql(db_.get(), "DELETE FROM documents WHERE id = ?", id).run();
}

Result<std::vector<std::int64_t>> Store::by_words(std::string_view conversation, std::string_view text) {
    std::vector<std::int64_t> out;
    const std::string query = match_query(text);
    if (query.empty()) return out;
    Sql rows(db_.get(),
             "SELECT k.id FROM chunk_terms t JOIN chunks k ON k.id = t.rowid JOIN documents d ON "
             "d.id = k.document WHERE chunk_terms MATCH ? AND d.conversation = ? "
             "ORDER BY bm25(chunk_terms), k.id LIMIT ?",
             query, conversation, candidates);
    while (rows.next()) out.push_back(rows.number(0));
    if (auto status = rows.status(); !status) return status.error();
    return out;
}

Result<std::vector<std::pair<std::int64_t, double>>> Store::by_vector(std::string_view conversation,
                                                                      const std::vector<float>& vector) {
    std::vector<std::pair<std::int64_t, double>> out;
    if (vector.empty()) return out;
    Sql rows(db_.get(),
             "SELECT k.id, k.vector FROM chunks k JOIN documents d ON d.id = k.document "
             "WHERE d.conversation = ? AND k.vector IS NOT NULL",
             conversation);
    std::vector<float> other(vector.size());
    while (rows.next()) {
        const std::string_view bytes = rows.blob(1);
        if (bytes.size() != other.size() * sizeof(float)) continue;  // made by another model
        std::memcpy(other.data(), bytes.data(), bytes.size());
        out.emplace_back(rows.number(0), cosine(vector, other));
    }
    if (auto status = rows.status(); !status) return status.error();
    std::ranges::sort(out, [](const auto& a, const auto& b) {
        return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    if (out.size() > candidates) out.resize(candidates);
    return out;
}

Result<std::vector<Hit>> Store::search(std::string_view session, std::string_view conversation,
                                       std::string_view question, std::string_view context,
                                       const std::vector<float>& vector, std::size_t most) {
    if (auto there = require(session, conversation); !there) return there.error();
    auto words = by_words(conversation, question);
    if (!words) return words.error();
    auto before = by_words(conversation, context);
    if (!before) return before.error();
    const auto near = by_vector(conversation, vector);
    if (!near) return near.error();

    std::unordered_map<std::int64_t, Hit> known;
    for (std::size_t i = 0; i < words->size(); ++i) known[(*words)[i]].word_rank = static_cast<int>(i + 1);
    Ranking meaning;
    for (std::size_t i = 0; i < near->size(); ++i) {
        const auto& [id, similarity] = (*near)[i];
        Hit& hit = known[id];
        hit.vector_rank = static_cast<int>(i + 1);
        hit.similarity = similarity;
        meaning.items.push_back(id);
    }
    const std::vector<Ranking> rankings = {
        {std::move(*words), 1.0}, std::move(meaning), {std::move(*before), 0.5}};

    std::vector<Hit> out;
    for (const Ranked& ranked : fuse(rankings)) {
        if (out.size() == most) break;
        Sql row(db_.get(),
                "SELECT k.document, d.name, k.page, k.line, k.text FROM chunks k "
                "JOIN documents d ON d.id = k.document WHERE k.id = ?",
                ranked.item);
        if (!row.next()) continue;
        Hit hit = known[ranked.item];
        hit.chunk = ranked.item;
        hit.score = ranked.score;
        hit.document = row.text(0);
        hit.name = row.text(1);
        hit.page = row.number(2);
        hit.line = row.number(3);
        hit.text = row.text(4);
        out.push_back(std::move(hit));
    }
    return out;
}

}  // namespace spillway::chat
