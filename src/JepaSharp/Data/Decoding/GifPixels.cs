namespace JepaSharp.Data.Decoding;

/// <summary>Unpacks the LZW codes of a GIF's frame, a row at a time (GIF89a, appendix F).</summary>
internal sealed class GifPixels
{
    private const int MostCodes = 4096, MostBits = 12;

    private readonly FileBytes _file;
    private readonly int _clear, _firstBits;
    private readonly ushort[] _before = new ushort[MostCodes];
    private readonly byte[] _last = new byte[MostCodes], _pending = new byte[MostCodes + 1];
    private int _at, _left, _held, _heldBits, _bits, _next, _previous = -1, _waiting;
    private byte _first;

    /// <param name="file">The GIF.</param>
    /// <param name="offset">Where the frame's data begins: bits of a colour, then blocks of codes.</param>
    public GifPixels(FileBytes file, int offset)
    {
        (_file, _at) = (file, offset + 1);
        _firstBits = offset < file.Length ? file.Span[offset] : 0;
        _clear = 1 << Math.Min(_firstBits, MostBits);
        for (var code = 0; code < Math.Min(_clear, 256); code++) _last[code] = (byte)code;
        Forget();
    }

    /// <summary>Fills a row of indices.</summary>
    /// <returns>null, or what is wrong with the data.</returns>
    public string? Read(Span<byte> row)
    {
        if (_firstBits is < 1 or > 8) return "damaged";
        for (var x = 0; x < row.Length;)
        {
            if (_waiting > 0)
            {
                row[x++] = _pending[--_waiting];
                continue;
            }

            var code = NextCode();
            if (code < 0 || code == _clear + 1) return "cut short";
            if (code == _clear) Forget();
            else if (!Unpack(code)) return "damaged";
        }

        return null;
    }

    private void Forget() => (_bits, _next, _previous) = (_firstBits + 1, _clear + 2, -1);

    /// <summary>Puts a code's string, backwards, where it waits for its rows, and learns the string before with its first index behind.</summary>
    private bool Unpack(int code)
    {
        if (code > _next || (code == _next && _previous < 0) || (_previous < 0 && code > _clear)) return false;
        var known = code;
        if (code == _next)
        {
            _pending[_waiting++] = _first;
            known = _previous;
        }

        for (; known >= _clear; known = _before[known]) _pending[_waiting++] = _last[known];
        _pending[_waiting++] = _first = _last[known];
        if (_previous >= 0 && _next < MostCodes)
        {
            (_before[_next], _last[_next]) = ((ushort)_previous, _first);
            _next++;
            if (_next == 1 << _bits && _bits < MostBits) _bits++;
        }

        _previous = code;
        return true;
    }

    /// <summary>The next code, -1 at the end of the data.</summary>
    private int NextCode()
    {
        var bytes = _file.Span;
        while (_heldBits < _bits)
        {
            if (_left == 0)
            {
                if (_at >= bytes.Length || bytes[_at] == 0) return -1;
                _left = bytes[_at++];
            }

            if (_at >= bytes.Length) return -1;
            _held |= bytes[_at++] << _heldBits;
            _heldBits += 8;
            _left--;
        }

        var code = _held & ((1 << _bits) - 1);
        _held >>= _bits;
        _heldBits -= _bits;
        return code;
    }
}
