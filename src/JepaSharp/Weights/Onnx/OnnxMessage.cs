using Google.Protobuf;

namespace JepaSharp.Weights.Onnx;

/// <summary>One message of an ONNX file as its bytes in protocol buffers' encoding, put together field by field.</summary>
/// <remarks>Field numbers are ONNX's, published in its specification of the intermediate representation; whoever adds a field names it.</remarks>
#pragma warning disable CA1001 // both are memory alone: there is nothing to dispose of
internal sealed class OnnxMessage
#pragma warning restore CA1001
{
    private readonly MemoryStream _bytes = new();
    private readonly CodedOutputStream _coded;

    public OnnxMessage() => _coded = new CodedOutputStream(_bytes, leaveOpen: true);

    /// <summary>Bytes so far.</summary>
    public long Length
    {
        get
        {
            _coded.Flush();
            return _bytes.Length;
        }
    }

    /// <summary>A whole number or an element of a list of them.</summary>
    public OnnxMessage Number(int field, long value)
    {
        _coded.WriteTag(field, WireFormat.WireType.Varint);
        _coded.WriteInt64(value);
        return this;
    }

    /// <summary>Several, as elements of a list.</summary>
    public OnnxMessage Numbers(int field, IEnumerable<long> values)
    {
        foreach (var value in values) Number(field, value);
        return this;
    }

    /// <summary>A float32 number.</summary>
    public OnnxMessage Real(int field, float value)
    {
        _coded.WriteTag(field, WireFormat.WireType.Fixed32);
        _coded.WriteFloat(value);
        return this;
    }

    /// <summary>A text in UTF-8.</summary>
    public OnnxMessage Text(int field, string value)
    {
        _coded.WriteTag(field, WireFormat.WireType.LengthDelimited);
        _coded.WriteString(value);
        return this;
    }

    /// <summary>A message inside this one.</summary>
    public OnnxMessage Inner(int field, OnnxMessage message)
    {
        Begin(field, message.Length);
        _coded.Flush();
        message._bytes.WriteTo(_bytes);
        return this;
    }

    /// <summary>The tag and the length of a field whose bytes somebody else writes behind this message's.</summary>
    public OnnxMessage Begin(int field, long length)
    {
        _coded.WriteTag(field, WireFormat.WireType.LengthDelimited);
        _coded.WriteUInt64((ulong)length);
        return this;
    }

    /// <summary>Fields of another message as fields of this one.</summary>
    public OnnxMessage Raw(OnnxMessage fields)
    {
        _coded.Flush();
        fields.WriteTo(_bytes);
        return this;
    }

    /// <summary>Writes all of it.</summary>
    public void WriteTo(Stream stream)
    {
        _coded.Flush();
        _bytes.WriteTo(stream);
    }
}
