using System.Text;
using Microsoft.Net.Http.Headers;
using Orchestrator.Proxy.Tracing;

namespace Orchestrator.Proxy.Plain;

/// <summary>What is done with a field of an answer.</summary>
internal enum FieldUse
{
    PassOn,
    Drop,
    Length,
    Encoding,
    Connection,
    RequestId,
}

/// <summary>
/// Names and values of answers' fields as strings that are not made anew each time: most answers of a replica have the same fields, and
/// most of these the same values. One a connection; not thread-safe.
/// </summary>
internal sealed class FieldTexts
{
    /// <summary>Longer values are rarely the same again, and not worth their place.</summary>
    private const int LongestKept = 64;

    private static readonly (string Name, FieldUse Use)[] Known =
    [
        (HeaderNames.ContentLength, FieldUse.Length),
        (HeaderNames.TransferEncoding, FieldUse.Encoding),
        (HeaderNames.Connection, FieldUse.Connection),
        (RequestIds.Header, FieldUse.RequestId),
        .. HopFields.All.Where(name => name != HeaderNames.Connection && name != HeaderNames.TransferEncoding).Select(name => (name, FieldUse.Drop)),
        .. new[]
        {
            HeaderNames.AcceptRanges, HeaderNames.AccessControlAllowCredentials, HeaderNames.AccessControlAllowHeaders, HeaderNames.AccessControlAllowMethods,
            HeaderNames.AccessControlAllowOrigin, HeaderNames.AccessControlExposeHeaders, HeaderNames.Age, HeaderNames.Allow, HeaderNames.CacheControl,
            HeaderNames.ContentDisposition, HeaderNames.ContentEncoding, HeaderNames.ContentLanguage, HeaderNames.ContentLocation, HeaderNames.ContentRange,
            HeaderNames.ContentSecurityPolicy, HeaderNames.ContentType, HeaderNames.Date, HeaderNames.ETag, HeaderNames.Expires, HeaderNames.LastModified,
            HeaderNames.Link, HeaderNames.Location, HeaderNames.Pragma, "Referrer-Policy", HeaderNames.RetryAfter, HeaderNames.Server, HeaderNames.SetCookie,
            HeaderNames.StrictTransportSecurity, HeaderNames.Trailer, HeaderNames.Vary, HeaderNames.Via, HeaderNames.WWWAuthenticate, HeaderNames.XContentTypeOptions,
            HeaderNames.XFrameOptions, HeaderNames.XPoweredBy, HeaderNames.XXSSProtection,
        }.Select(name => (name, FieldUse.PassOn)),
    ];

    /// <summary>Indexes into <see cref="Known"/>, by the name's length.</summary>
    private static readonly int[][] ByLength =
        [.. Enumerable.Range(0, Known.Max(one => one.Name.Length) + 1).Select(length => Enumerable.Range(0, Known.Length).Where(i => Known[i].Name.Length == length).ToArray())];

    private readonly string?[] _last = new string?[Known.Length];

    /// <returns>What the field is used for, and where it stands; -1: it is not known.</returns>
    public static (FieldUse Use, int Index) Find(ReadOnlySpan<byte> name)
    {
        if (name.Length < ByLength.Length)
        {
            foreach (var index in ByLength[name.Length])
            {
                if (Ascii.EqualsIgnoreCase(name, Known[index].Name))
                {
                    return (Known[index].Use, index);
                }
            }
        }

        return (FieldUse.PassOn, -1);
    }

    /// <summary>Of a name that <see cref="Find"/> has found there.</summary>
    public static string NameOf(ReadOnlySpan<byte> name, int index) => index >= 0 ? Known[index].Name : Encoding.Latin1.GetString(name);

    public string ValueOf(ReadOnlySpan<byte> value, int index)
    {
        if (index < 0 || value.Length > LongestKept)
        {
            return Encoding.Latin1.GetString(value);
        }

        return _last[index] is { } last && Ascii.Equals(value, last) ? last : _last[index] = Encoding.Latin1.GetString(value);
    }
}
