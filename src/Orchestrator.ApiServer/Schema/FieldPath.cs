using System.Globalization;
using System.Text;

namespace Orchestrator.ApiServer.Schema;

/// <summary>
/// Where a walk through an object is. One path is pushed and popped along the walk and becomes text only for a fault: most
/// objects have none. The text is bounded: a client chooses the names, and each of many faults repeats them.
/// </summary>
internal sealed class FieldPath
{
    /// <summary>Characters of a path as text; of a longer one, the middle is left out. More than a path that people made has.</summary>
    public const int MaxLength = 512;

    private readonly List<(string? Name, int Index)> _segments = [];

    public int Depth => _segments.Count;

    public void Push(string name) => _segments.Add((name, 0));

    public void Push(int index) => _segments.Add((null, index));

    public void Pop() => _segments.RemoveAt(_segments.Count - 1);

    public void CopyFrom(FieldPath other)
    {
        _segments.Clear();
        _segments.AddRange(other._segments);
    }

    /// <summary>The path of a member of the object where the walk is.</summary>
    public string Of(string name)
    {
        Push(name);
        var text = ToString();
        Pop();
        return text;
    }

    /// <inheritdoc cref="Of(string)"/>
    public string Of(int index)
    {
        Push(index);
        var text = ToString();
        Pop();
        return text;
    }

    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var (name, index) in _segments)
        {
            if (name is null)
            {
                text.Append(CultureInfo.InvariantCulture, $"[{index}]");
            }
            else
            {
                text.Append(text.Length == 0 ? "" : ".").Append(Cut(name));
            }
        }

        return Cut(text.ToString());
    }

    private static string Cut(string text) =>
        text.Length <= MaxLength ? text : string.Concat(text.AsSpan(0, MaxLength / 2), "…", text.AsSpan(text.Length - (MaxLength / 2) + 1));
}
