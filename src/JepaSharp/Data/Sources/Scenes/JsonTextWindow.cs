using System.Text.Json;

namespace JepaSharp.Data.Sources.Scenes;

/// <summary>A moving window over JSON text of any length: goes to one array of the top-level object and hands out its elements.</summary>
internal sealed class JsonTextWindow(Stream stream, int firstBuffer)
{
    private byte[] _buffer = new byte[firstBuffer];
    private int _start, _end;
    private bool _isLast;
    private JsonReaderState _state;

    private delegate bool Step(ref Utf8JsonReader reader);

    /// <summary>Moves past the opening bracket of a property of the top-level object; false where it is not there or is no array.</summary>
    /// <exception cref="JsonException">The text is not JSON.</exception>
    public bool EnterArray(string property)
    {
        var first = JsonTokenType.None;
        Advance((ref reader) => Read(ref reader, out first));
        if (first != JsonTokenType.StartObject) return false;
        while (true)
        {
            var (isEnd, isWanted) = (false, false);
            Advance((ref reader) =>
            {
                if (!reader.Read()) return false;
                isEnd = reader.TokenType == JsonTokenType.EndObject;
                isWanted = !isEnd && reader.ValueTextEquals(property);
                return true;
            });
            if (isEnd) return false;
            var value = JsonTokenType.None;
            if (isWanted)
            {
                Advance((ref reader) => Read(ref reader, out value));
                return value == JsonTokenType.StartArray;
            }

            Advance((ref reader) => reader.Read() && reader.TrySkip());
        }
    }

    /// <summary>The array's next element, or null at its end. The caller disposes it.</summary>
    /// <exception cref="JsonException">The text is not JSON.</exception>
    public JsonDocument? NextElement()
    {
        JsonDocument? element = null;
        Advance((ref reader) =>
        {
            var ahead = reader;
            if (!ahead.Read()) return false;
            if (ahead.TokenType != JsonTokenType.EndArray && !JsonDocument.TryParseValue(ref ahead, out element)) return false;
            reader = ahead;
            return true;
        });
        return element;
    }

    private static bool Read(ref Utf8JsonReader reader, out JsonTokenType token)
    {
        var isRead = reader.Read();
        token = reader.TokenType;
        return isRead;
    }

    // Repeats a step from where the last one ended, with more text each time, until it has enough.
    private void Advance(Step step)
    {
        while (true)
        {
            var reader = new Utf8JsonReader(_buffer.AsSpan(_start, _end - _start), _isLast, _state);
            if (step(ref reader))
            {
                _start += (int)reader.BytesConsumed;
                _state = reader.CurrentState;
                return;
            }

            if (_isLast) throw new JsonException("the text ends too early");
            Fill();
        }
    }

    private void Fill()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _buffer.Length) Array.Resize(ref _buffer, 2 * _buffer.Length);
        var read = stream.Read(_buffer, _end, _buffer.Length - _end);
        _isLast = read == 0;
        _end += read;
    }
}
