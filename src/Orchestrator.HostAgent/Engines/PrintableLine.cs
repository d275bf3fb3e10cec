namespace Orchestrator.HostAgent.Engines;

/// <summary>Makes what others wrote fit for a sentence in a status: it may hold anything, of any length.</summary>
internal static class PrintableLine
{
    /// <param name="maxLength">Characters, at least 1; what is longer is cut, and ends in an ellipsis.</param>
    /// <returns>Null when nothing is left.</returns>
    public static string? Of(string text, int maxLength)
    {
        var printable = string.Concat(text.Select(character => char.IsControl(character) ? ' ' : character)).Trim();
        return printable.Length == 0 ? null
            : printable.Length > maxLength ? printable[..maxLength] + "…"
            : printable;
    }
}
