using System.IO.Pipelines;
using System.Text;
using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Objects;
using Orchestrator.ApiServer.Rest;
using Orchestrator.ApiServer.Tables;

namespace Orchestrator.ApiServer.Watching;

/// <summary>Writes events as lines of JSON. Objects go out as the bytes that are stored: nothing is encoded for a plain watch.</summary>
internal class PlainWatchWriter(PipeWriter body) : IWatchWriter
{
    public virtual void Write(string type, byte[] json, Func<JsonObject> parsed) => WriteLine(type, json);

    public virtual void WriteBookmark(JsonObject bookmark) => WriteLine("BOOKMARK", Answer.Encode(bookmark));

    public void WriteError(Status status) => WriteLine("ERROR", Answer.Encode(status.ToJson()));

    public async Task FlushAsync(CancellationToken cancellationToken) => await body.FlushAsync(cancellationToken);

    protected void WriteLine(string type, ReadOnlySpan<byte> json)
    {
        Append("{\"type\":\""u8);
        Encoding.ASCII.GetBytes(type, body);
        Append("\",\"object\":"u8);
        Append(json);
        Append("}\n"u8);
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(body.GetSpan(bytes.Length));
        body.Advance(bytes.Length);
    }
}

/// <summary>Writes the metadata of objects only.</summary>
internal sealed class PartialWatchWriter(PipeWriter body, string version) : PlainWatchWriter(body)
{
    public override void Write(string type, byte[] json, Func<JsonObject> parsed) =>
        WriteLine(type, Answer.Encode(PartialMetadata.Of(parsed(), version)));

    public override void WriteBookmark(JsonObject bookmark) =>
        WriteLine("BOOKMARK", Answer.Encode(PartialMetadata.Of(bookmark, version)));
}

/// <summary>Writes each event as a table of one row; the first has the columns.</summary>
internal sealed class TableWatchWriter(PipeWriter body, ServedResource resource, string version, IncludeObject include, TimeProvider time)
    : PlainWatchWriter(body)
{
    private bool _hasColumns;

    public override void Write(string type, byte[] json, Func<JsonObject> parsed) => WriteTable(type, parsed());

    public override void WriteBookmark(JsonObject bookmark) => WriteTable("BOOKMARK", bookmark);

    private void WriteTable(string type, JsonObject obj)
    {
        WriteLine(type, Answer.Encode(resource.Table.RenderOne(obj, time.GetUtcNow(), version, include, !_hasColumns)));
        _hasColumns = true;
    }
}
