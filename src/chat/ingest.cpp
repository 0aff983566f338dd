#include "chat/ingest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>

#include "base/strings.hpp"
#include "chat/chunks.hpp"
#include "chat/ids.hpp"
#include "chat/pdf.hpp"
#include "chat/utf8.hpp"

namespace spillway::chat {
namespace {

constexpr std::size_t batch = 32;  // texts of one embeddings request
constexpr Duration longest_wait = std::chrono::seconds(60);
constexpr int most_waits = 5;

bool ends_with_any(std::string_view name, std::initializer_list<std::string_view> endings) {
    return std::ranges::any_of(endings, [&](std::string_view e) {
        return name.size() > e.size() && iequals(name.substr(name.size() - e.size()), e);
    });
}

std::int64_t millis(Duration d) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
}

Result<void> read_pages(std::string_view name, std::string_view bytes, const UploadLimits& limits,
                        FileText& out) {
    if (looks_like_pdf(bytes)) {
        auto pages = pdf_pages(bytes, limits.pages);
        if (!pages) return pages.error();
        out.pages = std::move(*pages);
        out.paged = true;
        out.type = "application/pdf";
        return {};
    }
    if (ends_with_any(name, {".pdf"})) return fail("the file is not a PDF");
    auto text = decode_text(bytes);
    if (!text) return text.error();
    out.type = ends_with_any(name, {".md", ".markdown"}) ? "text/markdown" : "text/plain";
    out.pages.push_back(std::move(*text));
    return {};
}

}  // namespace

std::string clean_name(std::string_view name) {
    if (const auto slash = name.find_last_of("/\\"); slash != std::string_view::npos)
        name.remove_prefix(slash + 1);
    std::string out;
    while (!name.empty()) {
        const CodePoint c = front_code_point(name);
        const bool bad = c.value < 0x20 || c.value == 0x7F || c.value == 0xFFFD ||
                         (c.value >= 0x202A && c.value <= 0x202E);  // no reversed text
        if (c.value == '[')
            out += '(';
        else if (c.value == ']')
            out += ')';
        else if (!bad)
            out.append(name.substr(0, c.bytes));
        name.remove_prefix(c.bytes);
    }
    return std::string(first_characters(trim(out), 120));
}

Result<FileText> read_file(std::string_view name, std::string_view bytes, const UploadLimits& limits) {
    FileText out;
    if (auto read = read_pages(name, bytes, limits, out); !read) return read.error();
    const std::vector<Chunk> chunks = cut_chunks(out.pages);
    if (chunks.empty())
        return fail(out.paged ? "the PDF has no text (a scan, perhaps)" : "the file is empty");
    if (chunks.size() > limits.chunks) return fail("the file has too much text");
    for (const Chunk& c : chunks) {
        StoredChunk stored;
        stored.page = out.paged ? static_cast<std::int64_t>(c.page + 1) : 0;
        stored.line = static_cast<std::int64_t>(c.line);
        stored.text = out.pages[c.page].substr(c.offset, c.length);
        out.chunks.push_back(std::move(stored));
    }
    return out;
}

void write_document(JsonWriter& out, const Document& d) {
    out.open().field("id", d.id).field("name", d.name).field("type", d.type).field("bytes", d.bytes);
    out.field("pages", d.pages).field("chunks", d.chunks).field("embedding_model", d.embedding_model);
    out.field("created", d.created).close();
}

Ingest::Ingest(http::Exchange& exchange, Model& model, StoreThread& store, asio::thread_pool& readers,
               const UploadLimits& limits)
    : exchange_(exchange), model_(model), store_(store), readers_(readers), limits_(limits) {}

asio::awaitable<void> Ingest::progress(std::string_view stage, std::size_t done, std::size_t total,
                                       Duration wait) {
    JsonWriter w;
    w.open().field("type", "progress").field("stage", stage).field("done", done).field("total", total);
    w.field("wait_ms", millis(wait)).close();
    const std::string text = w.take() + '\n';
    co_await exchange_.write(text);
}

asio::awaitable<void> Ingest::error(std::string_view message) {
    JsonWriter w;
    w.open().field("type", "error").field("message", message).close();
    const std::string text = w.take() + "\n{\"type\":\"end\"}\n";
    co_await exchange_.finish(text);
}

asio::awaitable<std::string> Ingest::embed(std::vector<StoredChunk>& chunks) {
    if (!model_.has_embeddings()) co_return std::string("no embedding deployment is set");
    int waits = 0;
    for (std::size_t begin = 0; begin < chunks.size();) {
        co_await progress("embedding", begin, chunks.size());
        const std::size_t count = std::min(batch, chunks.size() - begin);
        std::vector<std::string> texts;
        for (std::size_t i = 0; i < count; ++i) texts.push_back(chunks[begin + i].text);
        auto vectors = co_await model_.embed(texts, cancel_);
        if (vectors) {
            for (std::size_t i = 0; i < count; ++i) chunks[begin + i].vector = std::move((*vectors)[i]);
            begin += count;
            continue;
        }
        const ModelError& e = vectors.error();
        const Duration wait = e.retry_after.value_or(std::chrono::seconds(2));
        const bool worth_it = e.kind == ModelError::Kind::rate_limited && wait <= longest_wait &&
                              ++waits <= most_waits && !cancel_.requested();
        if (!worth_it) {
            for (StoredChunk& c : chunks) c.vector.clear();
            co_return e.message;
        }
        co_await progress("waiting", begin, chunks.size(), wait);
        asio::steady_timer timer(exchange_.context(), wait);
        co_await timer.async_wait(asio::use_awaitable);
        if (cancel_.requested()) co_return std::string("stopped");
    }
    co_return std::string();
}

asio::awaitable<void> Ingest::run(std::string session, std::string conversation, std::string name) {
    exchange_.on_gone([this] { cancel_.request(); });
    co_await take(std::move(session), std::move(conversation), std::move(name));
    exchange_.on_gone({});
}

asio::awaitable<void> Ingest::take(std::string session, std::string conversation, std::string name) {
    exchange_.start(200,
                    "content-type: application/x-ndjson\r\ncache-control: no-store\r\n"
                    "x-content-type-options: nosniff\r\nx-accel-buffering: no\r\n",
                    std::nullopt);
    co_await progress("reading", 0, 1);
    const std::string_view bytes = exchange_.body();
    auto file = co_await run_on(readers_, [&] { return read_file(name, bytes, limits_); });
    if (!file) {
        co_await error(file.error().message);
        co_return;
    }
    const std::string trouble = co_await embed(file->chunks);
    if (cancel_.requested()) co_return;

    Document document;
    document.id = new_id();
    document.name = std::move(name);
    document.type = file->type;
    document.bytes = static_cast<std::int64_t>(bytes.size());
    document.pages = file->paged ? static_cast<std::int64_t>(file->pages.size()) : 0;
    document.chunks = static_cast<std::int64_t>(file->chunks.size());
    document.embedding_model = trouble.empty() ? model_.settings().embedding_model : std::string();
    document.created = millis(wall_now().time_since_epoch());
    auto added = co_await store_([&](Store& s) {
        return s.add_document(session, conversation, document, bytes, file->pages, file->chunks);
    });
    if (!added) {
        co_await error(added.error().message);
        co_return;
    }
    JsonWriter w;
    w.open().field("type", "document").key("document");
    write_document(w, document);
    w.field("trouble", trouble).close();
    const std::string text = w.take() + "\n{\"type\":\"end\"}\n";
    co_await exchange_.finish(text);
}

}  // namespace spillway::chat
