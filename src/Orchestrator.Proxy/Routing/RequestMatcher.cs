using Microsoft.AspNetCore.Http;
using Orchestrator.Api.WebApps;

namespace Orchestrator.Proxy.Routing;

/// <summary>A <see cref="RouteMatch"/> made ready for requests: asking allocates nothing. Immutable.</summary>
internal sealed class RequestMatcher
{
    private readonly string[] _methods;
    private readonly HeaderTest[] _headers;

    public RequestMatcher(RouteMatch match)
    {
        _methods = [.. match.Methods ?? []];
        _headers = [.. (match.Headers ?? []).Select(HeaderTest.Of)];
    }

    /// <summary>Of two at the same path the one that names methods is asked first, then the one with more headers (Gateway API).</summary>
    /// <returns>Above zero: this one comes first.</returns>
    public static int Compare(RequestMatcher? left, RequestMatcher? right)
    {
        var methods = (left?._methods.Length > 0).CompareTo(right?._methods.Length > 0);
        return methods != 0 ? methods : (left?._headers.Length ?? 0).CompareTo(right?._headers.Length ?? 0);
    }

    public bool Fits(HttpRequest request)
    {
        if (_methods.Length > 0 && !_methods.AsSpan().Contains(request.Method))
        {
            return false;
        }

        foreach (var header in _headers)
        {
            if (!header.Fits(request.Headers))
            {
                return false;
            }
        }

        return true;
    }

    /// <param name="Value">Null: the pattern decides.</param>
    /// <param name="Pattern">Null with a Value of null: an expression that is none, which a schema elsewhere has let pass. Fits nothing.</param>
    private sealed record HeaderTest(string Name, string? Value, HeaderPattern? Pattern)
    {
        public static HeaderTest Of(HeaderMatch header) => !header.IsPattern ? new(header.Name, header.Value, null)
            : HeaderPattern.TryParse(header.Value, out var pattern, out _) ? new(header.Name, null, pattern)
            : new(header.Name, null, null);

        public bool Fits(IHeaderDictionary headers)
        {
            if (!headers.TryGetValue(Name, out var values))
            {
                return false;
            }

            foreach (var value in values)
            {
                if (value is not null && (Value is null ? Pattern?.Fits(value) == true : value == Value))
                {
                    return true;
                }
            }

            return false;
        }
    }
}
