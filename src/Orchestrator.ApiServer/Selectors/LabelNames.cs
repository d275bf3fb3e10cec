using System.Text.RegularExpressions;

namespace Orchestrator.ApiServer.Selectors;

/// <summary>
/// The grammar of label keys and values and of object names, with the words of Kubernetes' <c>apimachinery</c> validation, so that
/// what a user finds about them on the web is about the same thing.
/// </summary>
public static partial class LabelNames
{
    /// <summary>Characters.</summary>
    public const int MaxLabelLength = 63;

    /// <summary>Characters.</summary>
    public const int MaxSubdomainLength = 253;

    private const string LabelKeyFormat = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
    private const string LabelFormat = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
    private const string SubdomainFormat = LabelFormat + "(\\." + LabelFormat + ")*";

    private const string LabelKeyWords =
        "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
        + "(e.g. 'MyName', or 'my.name', or '123-abc', regex used for validation is '" + LabelKeyFormat + "')";

    /// <returns>What is wrong with a label or annotation key; empty when it is well formed.</returns>
    public static IReadOnlyList<string> CheckKey(string key)
    {
        var parts = key.Split('/');
        if (parts.Length > 2)
        {
            return ["a valid label key " + LabelKeyWords + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"];
        }

        var faults = new List<string>();
        if (parts is [var prefix, _])
        {
            faults.AddRange((prefix.Length == 0 ? ["must be non-empty"] : CheckSubdomain(prefix)).Select(fault => "prefix part " + fault));
        }

        var name = parts[^1];
        if (name.Length == 0)
        {
            faults.Add("name part must be non-empty");
        }
        else if (name.Length > MaxLabelLength)
        {
            faults.Add("name part " + TooLong(MaxLabelLength));
        }

        if (!LabelKey().IsMatch(name))
        {
            faults.Add("name part " + LabelKeyWords);
        }

        return faults;
    }

    /// <inheritdoc cref="CheckKey"/>
    public static IReadOnlyList<string> CheckValue(string value)
    {
        var faults = new List<string>();
        if (value.Length > MaxLabelLength)
        {
            faults.Add(TooLong(MaxLabelLength));
        }

        if (value.Length > 0 && !LabelKey().IsMatch(value))
        {
            faults.Add(
                "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with "
                + "an alphanumeric character (e.g. 'MyValue', or 'my_value', or '12345', regex used for validation is '(" + LabelKeyFormat + ")?')");
        }

        return faults;
    }

    /// <summary>RFC 1123 subdomain: the names of most objects.</summary>
    /// <inheritdoc cref="CheckKey"/>
    public static IReadOnlyList<string> CheckSubdomain(string name)
    {
        var faults = new List<string>();
        if (name.Length > MaxSubdomainLength)
        {
            faults.Add(TooLong(MaxSubdomainLength));
        }

        if (!Subdomain().IsMatch(name))
        {
            faults.Add(
                "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with "
                + "an alphanumeric character (e.g. 'example.com', regex used for validation is '" + SubdomainFormat + "')");
        }

        return faults;
    }

    /// <summary>RFC 1123 label: the names of namespaces.</summary>
    /// <inheritdoc cref="CheckKey"/>
    public static IReadOnlyList<string> CheckDnsLabel(string name)
    {
        var faults = new List<string>();
        if (name.Length > MaxLabelLength)
        {
            faults.Add(TooLong(MaxLabelLength));
        }

        if (!DnsLabel().IsMatch(name))
        {
            faults.Add(Subdomain().IsMatch(name)
                ? "must not contain dots"
                : "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an "
                    + "alphanumeric character (e.g. 'my-name', or '123-abc', regex used for validation is '" + LabelFormat + "')");
        }

        return faults;
    }

    private static string TooLong(int length) => $"must be no more than {length} bytes";

    // Dollar also matches before a last line feed; \z does not.
    [GeneratedRegex("^(?:" + LabelKeyFormat + ")\\z", RegexOptions.CultureInvariant)]
    private static partial Regex LabelKey();

    [GeneratedRegex("^(?:" + LabelFormat + ")\\z", RegexOptions.CultureInvariant)]
    private static partial Regex DnsLabel();

    // Without alternatives for one text, so that nothing is tried twice however long it is.
    [GeneratedRegex("^(?:" + SubdomainFormat + ")\\z", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Subdomain();
}
