/** Rules of keywords put together, as Suricata 7.0.10 judges them: those that it loads. */
export const TAKEN_TOGETHER = String.raw`
dcerpc dcerpc.opnum:5-5
dns dns.query; content:"a..b"
dns dns.query; content:"|03|com"
dns flow:only_stream
http filestore; http.uri; content:"a"
http http.content_type; content:"|0d|"
http http.cookie; content:"Cookie"
http http.cookie; content:"|0d 0a|"
http http.header; content:"a|0d 0a|b"
http http.header; content:"|0d 0a 0d 0a|"
http http.host; content:"a b"
http http.host; content:"a:80"
http http.host; content:"abc"; pcre:"/ABC/"
http http.method; content:"GE T"
http http.method; content:"GET|0a|"
http http.method; content:"GET|0d 0a|"
http http.method; content:"GET|0d|"
http http.method; to_lowercase; content:"get "
http http.protocol; content:"|0d|"
http http.request_line; content:"a"; http2.frametype:7
http http.request_line; content:"a|0d 0a|"
http http.server; content:"|0a|"
http http.stat_code; content:"2000"
http http.stat_msg; content:"|0d 0a|"
http http.uri.raw; content:"a  b"
http http.uri.raw; content:"a b"
http http.uri; bsize:!0
http http.uri; bsize:!5; content:"abcdef"
http http.uri; bsize:0
http http.uri; bsize:10; bsize:5; content:"abcdefg"
http http.uri; bsize:2<>6; content:"abcdef"
http http.uri; bsize:2<>7; content:"abcdef"
http http.uri; bsize:5; content:"a"; content:!"abcdef"
http http.uri; bsize:5; content:"a"; content:"abcdef"
http http.uri; bsize:5; content:"a"; content:"b"; offset:5
http http.uri; bsize:<6; content:"abcdef"
http http.uri; bsize:<7; content:"abcdef"
http http.uri; bsize:<=5; content:"abcdef"
http http.uri; bsize:>5; content:"abcdef"
http http.uri; content:"a b"
http http.uri; content:"a|0d 0a|"
http http.user_agent; content:"a|0d 0a|"
http http2.errorcode:NO_ERROR; http.uri; content:"a"
http http2.header_name; content:"a"
http urilen: <5
http urilen:1; http2.frametype:7
http urilen:2<>6; content:"abcdef"; http_uri
http urilen:5,raw; content:"abcdef"; http_uri
http urilen:5<>6
http urilen:<5 , norm
http urilen:<6; content:"abcdef"; http_uri
http urilen:=5
http2 filemagic:"a"
http2 filesize:>1
http2 http.header.raw; content:"a"; flow:to_client
http2 http.request_line; content:"a"
http2 http.stat_msg; content:"a"
http2 urilen:1
icmp byte_jump:4,0,dce
icmp filestore
icmp flow:only_stream
icmp http.uri; content:"a"
icmp icmp_seq:8; prefilter
icmp icode:8; icode:0
icmp itype:5<>7
icmp itype:8; itype:0
icmp itype:8; prefilter
ip app-layer-protocol:http; http.uri; content:"a"
ip app-layer-protocol:http; ip_proto:6
ip byte_jump:4,0,dce
ip filename:!"a"
ip filestore
ip flow:no_stream
ip flow:only_stream
ip ip_proto:!6; ip_proto:!6
ip ip_proto:!6; ip_proto:<17
ip ip_proto:!6; ip_proto:<17; ip_proto:>2
ip ip_proto:!6; ip_proto:>17
ip ip_proto:6; app-layer-protocol:http
ip ip_proto:6; byte_test:1,>,1,0,dce
ip ip_proto:6; content:"a"
ip ip_proto:6; dsize:>1
ip ip_proto:6; flags:S
ip ip_proto:6; flow:established
ip ip_proto:6; stream_size:both,>,1
ip ip_proto:<0
ip ip_proto:<17; ip_proto:>10
ip ip_proto:<17; ip_proto:>16
ip ip_proto:<17; ip_proto:>6
ip ip_proto:<6; ip_proto:!17
ip ip_proto:>10; ip_proto:!17; ip_proto:<20
ip ip_proto:>10; ip_proto:<17
ip ip_proto:>16; ip_proto:<17
ip ip_proto:>255
ip ip_proto:>6; ip_proto:!17
ip ip_proto:>6; ip_proto:<17
ip l3_proto:ipv4; l3_proto:ipv6
ip stream_size:both,>,1
ip tls.sni; content:"a"
ip tls.sni; content:"a"; l3_proto:ip6
ip4 l3_proto:ipv4
ipv4 l3_proto:ipv4
ipv4 l3_proto:ipv6
ipv4 tls_cert_notafter:<2016; ssl_state:client_hello
ipv6 tls.sni; content:"a"
modbus modbus:unit 5<>6
modbus modbus:unit <0
nfs nfs.version:5<>6
nfs nfs_procedure:5<>6
pkthdr flow:established
pkthdr flow:only_stream
pkthdr http.uri; content:"a"
pkthdr ip_proto:6
pkthdr ttl:>1
sctp ftpdata_command:retr
sctp http.uri; content:"a"
smb byte_jump:4,0,dce
smb byte_test:4,>,1,0,dce
smb dce_stub_data; byte_test:4,>,1,0,dce
smb dce_stub_data; content:"a"; file.data; content:"a"
smb dcerpc.opnum:1; file.data; content:"a"
smb file.data; content:"a"; dcerpc.opnum:1
smb file_data; content:"a"
snmp snmp.version:>255
ssh ssh.proto; content:"a"
tcp ack:1; prefilter
tcp app-layer-protocol:http; prefilter
tcp base64_decode:bytes 0
tcp base64_decode:bytes 65535
tcp base64_decode:offset 65535
tcp base64_decode:relative, bytes 1
tcp byte_extract:0,0,v
tcp byte_extract:0,0,v,string,dec
tcp byte_extract:1,0,v; byte_test:4,=,v,v
tcp byte_extract:1,0,v; byte_test:v,=,v,v,string,dec
tcp byte_extract:11,0,v,string,dec
tcp byte_extract:23,0,v,string,oct
tcp byte_extract:4,0,4v
tcp byte_extract:4,0,v,string
tcp byte_extract:4,0,v,string,dec
tcp byte_extract:4,0,v-a
tcp byte_extract:4,0,v_a
tcp byte_extract:8,0,v
tcp byte_jump:0,0
tcp byte_jump:23,0,string,dec
tcp byte_jump:23,0,string,oct
tcp byte_jump:4,-5
tcp byte_jump:4,0,align,align
tcp byte_jump:4,0,string
tcp byte_jump:4,0,string,dec,hex
tcp byte_jump:8,0
tcp byte_math:bytes 10, offset 0, oper +, rvalue 1, result v, string dec
tcp byte_math:bytes 4, offset -4, oper +, rvalue 1, result v, relative
tcp byte_math:bytes 4, offset 0, oper +, rvalue 1, result 1v
tcp byte_math:bytes 4, offset 0, oper +, rvalue 1, result v, bitmask 255
tcp byte_math:bytes 4, offset 0, oper +, rvalue 1, result v, endian big
tcp byte_math:bytes 4, offset 0, oper +, rvalue 1, result v, relative, endian little, bitmask 0xff
tcp byte_math:bytes 4, offset 0, oper +, rvalue 1, result v, string oct
tcp byte_math:bytes 4, offset 0, oper <<, rvalue 33, result v
tcp byte_math:bytes 4, offset 65535, oper +, rvalue 1, result v
tcp byte_math:bytes 5, offset 0, oper +, rvalue 1, result v
tcp byte_math:offset 0, bytes 4, oper +, rvalue 1, result v
tcp byte_test:0,=,1,0
tcp byte_test:10,=,1,0,string,dec
tcp byte_test:11,=,1,0,string,hex
tcp byte_test:14,=,1,0,string,hex
tcp byte_test:15,=,1,0,string,hex
tcp byte_test:2,=,1,0,bitmask 0xffffff
tcp byte_test:20,=,1,0,string,dec
tcp byte_test:21,=,1,0,string,dec
tcp byte_test:23,=,1,0,string,oct
tcp byte_test:4, = , 1 , 0 , relative
tcp byte_test:4,!&,1,0
tcp byte_test:4,!,0,0
tcp byte_test:4,!,1,0
tcp byte_test:4,!<=,1,0
tcp byte_test:4,&,1,0
tcp byte_test:4,<=,1,0
tcp byte_test:4,=,-1,0
tcp byte_test:4,=,0x10,0
tcp byte_test:4,=,1,-5
tcp byte_test:4,=,1,0,bitmask 0x0
tcp byte_test:4,=,1,0,bitmask 0xffff
tcp byte_test:4,=,1,0,little,big
tcp byte_test:4,=,1,0,relative,relative
tcp byte_test:4,=,1,0,string
tcp byte_test:4,=,1,0,string,hex,dec
tcp byte_test:4,=,1,65536
tcp byte_test:4,=,4294967296,0
tcp byte_test:4,>,1,0,dce; dce_stub_data; content:"a"
tcp byte_test:4,^,1,0
tcp byte_test:8,=,1,0
tcp classtype:trojan-activity; classtype:trojan-activity
tcp content:!"a"; prefilter
tcp content:"a"; base64_decode:relative; base64_data; content:"a"; pkt_data; content:"b"
tcp content:"a"; base64_decode; base64_data; bsize:>1
tcp content:"a"; base64_decode; base64_data; byte_test:1,>,1,0
tcp content:"a"; base64_decode; base64_data; content:"b"; byte_test:1,>,1,0,relative
tcp content:"a"; base64_decode; base64_data; content:"b"; fast_pattern
tcp content:"a"; base64_decode; base64_data; content:"b"; isdataat:2,relative
tcp content:"a"; base64_decode; base64_data; isdataat:1
tcp content:"a"; base64_decode; base64_data; pcre:"/a/"
tcp content:"a"; content:"abc"; within:1048576
tcp content:"a"; content:"b"; distance:-2; within:1
tcp content:"a"; content:"b"; fast_pattern; prefilter
tcp content:"a"; endswith; startswith
tcp content:"a"; endswith; within:5
tcp content:"a"; fast_pattern:only; prefilter
tcp content:"a"; fast_pattern; content:"b"; prefilter
tcp content:"a"; fast_pattern; flags:S; prefilter
tcp content:"a"; fast_pattern; prefilter
tcp content:"a"; http_uri; prefilter
tcp content:"a"; msg:"a"; prefilter
tcp content:"a"; nocase; prefilter
tcp content:"a"; prefilter; content:"b"; prefilter
tcp content:"a"; prefilter; flags:S; prefilter
tcp content:"a"; rawbytes; content:"b"; http_uri
tcp content:"abc"; depth:65535
tcp content:"abc"; distance:65536
tcp content:"abc"; offset:65533; depth:3
tcp content:"abc"; offset:65535
tcp content:"abc"; replace:"bcd"; content:"a"; http_uri
tcp content:"abcd"; content:!"efgh"; distance:0; dsize:5
tcp content:"abcd"; content:"b"; distance:4; content:"c"; distance:5; dsize:15
tcp content:"abcd"; content:"efgh"; distance:-2; dsize:6
tcp content:"abcd"; content:"efgh"; distance:2; dsize:10
tcp content:"abcd"; content:"efgh"; dsize:7
tcp content:"abcd"; depth:10; dsize:5
tcp content:"abcd"; isdataat:10,relative; dsize:5
tcp content:"abcdefgh"; dsize:5<>8
tcp content:"abcdefgh"; dsize:5<>9
tcp content:"abcdefgh"; dsize:<8
tcp content:"abcdefgh"; dsize:<9
tcp content:"abcdefgh"; dsize:<=7
tcp content:"abcdefgh"; dsize:>5
tcp content:"abcdefgh"; offset:2; dsize:10
tcp content:"b"; content:"a"; distance:1; prefilter
tcp dce_stub_data; byte_test:1,>,1,0,dce
tcp dce_stub_data; byte_test:4,>,1,0,dce
tcp dcerpc.opnum:1; byte_test:1,>,1,0,dce
tcp dhcp.leasetime:5
tcp dsize: 5 <> 10
tcp dsize: < 10
tcp dsize:=5
tcp dsize:>1; prefilter
tcp file_data; content:"a"; pcre:"/a/Q"
tcp filestore
tcp flags:S,A
tcp flags:S; content:"a"; prefilter
tcp flags:S; flags:A
tcp flags:S; prefilter; content:"a"
tcp flags:S; prefilter; content:"a"; fast_pattern
tcp flow:established; prefilter
tcp flow:from_client
tcp flow:from_server
tcp flow:from_server; flow:to_client
tcp flow:no_stream; flow:no_stream
tcp flow:not_established,to_server,no_stream
tcp flow:stateless,to_server
tcp flow:to_server; flow:established
tcp flow:to_server; flow:only_stream
tcp flow:to_server; flow:to_client
tcp flow:to_server; flow:to_server
tcp fragbits:M; fragbits:D
tcp fragbits:M; prefilter
tcp fragoffset:1; prefilter
tcp fragoffset:65535
tcp fragoffset:8192
tcp fragoffset:<0
tcp fragoffset:>65535
tcp gid:1; gid:2
tcp http.host; content:"a"; pcre:"/a/W"
tcp http.response_body; content:"a"; pcre:"/a/Q"
tcp http.uri; asn1:double_overflow; content:"a"
tcp http.uri; base64_decode; base64_data; content:"a"
tcp http.uri; bsize:1; bsize:>1
tcp http.uri; bsize:1; content:"a"; bsize:>1
tcp http.uri; byte_test:1,>,1,0,dce; content:"a"
tcp http.uri; content:!"a"; prefilter
tcp http.uri; content:"a"; asn1:double_overflow
tcp http.uri; content:"a"; base64_decode; base64_data; content:"a"; pkt_data; content:"b"
tcp http.uri; content:"a"; byte_test:1,>,1,0,dce
tcp http.uri; content:"a"; pcre:"/a/U"
tcp http.uri; content:"a"; pkt_data; content:"b"; http_uri
tcp http.uri; content:"a"; pkt_data; pcre:"/b/U"
tcp http.uri; content:"a"; pkt_data; uricontent:"a"
tcp http.uri; content:"a"; prefilter
tcp http.uri; content:"a"; replace:"b"
tcp http.uri; content:"a"; tag:session
tcp icmp_id:1; prefilter
tcp id:1; id:2
tcp id:1; prefilter
tcp isdataat:!65535,relative
tcp isdataat:1; isdataat:2
tcp ja3.string; content:"a"; quic.sni; content:"a"
tcp l3_proto:ipv4; l3_proto:ipv4
tcp noalert; noalert
tcp pkt_data; content:"a"; pcre:"/a/U"
tcp pkt_data; content:"a"; rawbytes
tcp pkt_data; uricontent:"a"
tcp priority:1; priority:2
tcp sameip; sameip
tcp seq:1; prefilter
tcp seq:1; seq:2
tcp smb.share; content:"a"; byte_test:4,>,1,0,dce
tcp smb.share; content:"a"; dcerpc.opnum:1
tcp smb.share; content:"a"; file.data; content:"a"
tcp stream_size:both,<,0
tcp stream_size:both,>,1; prefilter
tcp stream_size:both,>,1; stream_size:both,<,100
tcp stream_size:server , < , 5
tcp tag:session; tag:host,10,packets,src
tcp target:src_ip; target:src_ip
tcp tcp.mss:1; prefilter
tcp tos:1; tos:2
tcp tos:xff
tcp ttl:1; flow:to_server; prefilter
tcp ttl:1; prefilter
tcp ttl:1; ttl:2
tcp ttl:255
tcp urilen:1; urilen:>1
tcp window:1; window:2
tls ja3.hash; content:!"0123456789abcdef0123456789abcdef"; content:"a"
tls ja3.hash; content:"0123456789abcdef0123456789abcdef"; content:"a"
tls ja3.hash; pcre:"/a/"
tls tls.cert_chain_len:>255
tls tls.cert_serial; content:"AB:CD"; content:"abcd"
tls tls.sni; content:"ABC"
tls tls.sni; content:"a b"
udp byte_jump:4,0,dce
udp dsize:1; flow:to_server; prefilter
udp filestore
udp flow:no_stream
udp flow:only_stream
udp http.uri; content:"a"
udp ja3.string; content:"a"; quic.sni; content:"a"
udp stream_size:both,>,1
udp tls.sni; content:"a"
tcp http.uri; content:"a"; http.uri
tcp ip.src; content:"a"
tcp http.uri; to_lowercase; to_lowercase; content:"a"
tcp http.uri; content:"a"; to_lowercase; content:"b"
tcp content:"a"; base64_decode; base64_decode; base64_data; content:"b"
tcp content:"a"; base64_decode; base64_data; content:"b"; pkt_data; base64_decode; base64_data; content:"c"
tcp uricontent:"a"; content:"b"; http_uri; distance:1
tcp filesize:>1; file_data; content:"a"
tcp file_data; content:"a"; filesize:>1
tcp http.uri; urilen:5; content:"a"
tcp content:"a"; fast_pattern; nocase
tcp content:"a"; endswith; endswith
`;

/** Those that it refuses. */
export const REFUSED_TOGETHER = String.raw`
dcerpc dcerpc.opnum:6-5
dcerpc file.data; content:"a"
dcerpc file_data; content:"a"
dhcp dhcp.leasetime:5<>6
dns ip_proto:!tcp
dns ip_proto:tcp
dns ja3.string; content:"a"
http byte_jump:4,0,dce
http content:"ABC"; http_host
http content:"ABC"; nocase; http_host
http content:"GET "; http_method
http content:"abc"; http_host; nocase
http filename:"a"; http2.frametype:7
http filesize:5<>6
http filesize:6<>5
http filesize:<0
http http.host; content:!"ABC"
http http.host; content:"ABC"; nocase
http http.host; content:"abc"; content:"ABC"
http http.host; content:"abc"; content:"d"; nocase
http http.host; content:"abc"; nocase
http http.method; content:!"GET "
http http.method; content:" GET"
http http.method; content:"A"; content:"GET "
http http.method; content:"GET "
http http.method; content:"GET|09|"
http http.method; content:"|09|GET"
http http.start; content:"a"; http2.frametype:7
http http.uri; bsize:10<>5
http http.uri; bsize:2<>5; content:"abcdef"
http http.uri; bsize:5-6
http http.uri; bsize:5; bsize:10; content:"abcdefg"
http http.uri; bsize:5; content:!"abcdef"
http http.uri; bsize:5; content:"a"; offset:5
http http.uri; bsize:5; content:"abc"; content:"def"; distance:0
http http.uri; bsize:5; content:"abc"; within:3; content:"def"; within:3
http http.uri; bsize:5<>5
http http.uri; bsize:5<>6
http http.uri; bsize:<5; content:"abcdef"
http http.uri; content:"a"; bsize:0
http http.uri; content:"abcdef"; bsize:5
http http.uri; content:"abcdef"; urilen:5
http http.uri; to_lowercase; bsize:5; content:"abcdef"
http http.uri; to_md5; bsize:5; content:"abcdef"
http http2.errorcode:NO_ERROR; content:"a"; http_uri
http ja3.string; content:"a"
http urilen:2; content:"abc"; http_uri
http urilen:2; http.uri; content:"abc"
http urilen:5,raw; content:"abcdef"; http_raw_uri
http urilen:5; content:!"abcdef"; http_uri
http urilen:65536
http urilen:<2; content:"abcd"; http_uri
http1 urilen:1; http2.frametype:7
http2 file.name; content:"exe"
http2 fileext:"exe"
http2 filename:"exe"
http2 http2.priority:5<>6
http2 http2.window:5<>6
http2 pcre:"/a/Q"
http2 pcre:"/a/U"
http2 pcre:"/a/W"
icmp dsize:>10; dsize:<100
icmp file.data; content:"a"
icmp icmp_seq:"5"
icmp icode:256
icmp itype:3<>3
icmp itype:5-6
icmp itype:5<>6
icmp itype:<0
icmp itype:>255
ike ike.exchtype:5<>6
ike ike.nonce_payload_length:<0
ikev1 flow:established
ip flow:only_stream; ip_proto:!6
ip flow:only_stream; ip_proto:6
ip http.uri; content:"a"; app-layer-protocol:http
ip http.uri; content:"a"; ip_proto:6
ip http.uri; content:"a"; ip_proto:>6
ip http.uri; content:"a"; ip_proto:tcp
ip ip_proto:!6; http.uri; content:"a"
ip ip_proto:!6; ip_proto:17
ip ip_proto:!6; ip_proto:6
ip ip_proto:6; app-layer-event:http.missing_host_header
ip ip_proto:6; file.data; content:"a"
ip ip_proto:6; filename:"a"
ip ip_proto:6; ip_proto:!17
ip ip_proto:6; ip_proto:17
ip ip_proto:6; ip_proto:6
ip ip_proto:6; ja3.string; content:"a"
ip ip_proto:6; prefilter
ip ip_proto:<17; ip_proto:<6
ip ip_proto:<17; ip_proto:>17
ip ip_proto:<6; ip_proto:>17
ip ip_proto:>17; ip_proto:<17
ip ip_proto:>17; ip_proto:<6
ip ip_proto:>17; ip_proto:>60
ip ip_proto:>6; http.uri; content:"a"
ip ip_proto:>6; ip_proto:>17
ip ip_proto:icmp6
ip ip_proto:tcp; http.uri; content:"a"
ip6 l3_proto:ipv4
ipv6 l3_proto:ipv6
modbus modbus:function 256
mqtt mqtt.protocol_version:5<>6
rfb rfb.sectype:5<>6
sctp frame:dns.pdu; content:"a"
smb content:"a"; http_server_body
smtp pcre:"/a/Q"
ssh ssh.hassh; content:"ABC"
ssl flow:established
tcp ack:4294967296
tcp ack:abc
tcp app-layer-event:http.missing_host_header; prefilter
tcp base64_decode:bytes 65536
tcp base64_decode; base64_data; content:"a"; http.uri; content:"b"
tcp byte_extract:1,0,v; byte_jump:4,v,multiplier v
tcp byte_extract:4,-65536,v
tcp byte_extract:4,0,v,align 0
tcp byte_extract:4,0,v,align 8
tcp byte_extract:4,0,v,foo
tcp byte_extract:4,0,v,multiplier 0
tcp byte_extract:4,0,v,multiplier 65536
tcp byte_extract:4,0,v; content:"a"; depth:w
tcp byte_extract:4,65536,v
tcp byte_jump:24,0,string,oct
tcp byte_jump:4,-65536
tcp byte_jump:4,0,align,from_beginning,from_end
tcp byte_jump:4,0,foo
tcp byte_jump:4,0,multiplier -1
tcp byte_jump:4,0,post_offset -65536
tcp byte_jump:4,0,post_offset 65536
tcp byte_jump:4,0,post_offset v
tcp byte_jump:4,65536
tcp byte_math:bytes 0, offset 0, oper +, rvalue 1, result v
tcp byte_math:bytes 11, offset 0, oper +, rvalue 1, result v, string dec
tcp byte_math:bytes 4, offset 0, oper %, rvalue 1, result v
tcp byte_math:bytes 4, offset 0, oper +, rvalue -1, result v
tcp byte_math:bytes 4, offset 0, oper +, rvalue 1
tcp byte_math:bytes 4, offset 0, oper +, rvalue 1, result v, endian middle
tcp byte_math:bytes 4, offset 0, oper +, rvalue 1, result v, string
tcp byte_math:bytes 4, offset 0, oper +, rvalue 1, result v, string bin
tcp byte_math:bytes 4, offset 0, oper +, rvalue 4294967296, result v
tcp byte_math:bytes 4, offset 0, oper +, rvalue nosuch, result v
tcp byte_math:bytes 4, offset 0, oper ^, rvalue 1, result v
tcp byte_math:bytes 4, offset 65536, oper +, rvalue 1, result v
tcp byte_math:bytes 4, oper +, rvalue 1, result v
tcp byte_test:!4,=,1,0
tcp byte_test:1,>,1,0; prefilter
tcp byte_test:24,=,1,0,string,oct
tcp byte_test:4,!!=,1,0
tcp byte_test:4,=,1
tcp byte_test:4,=,1,0,bitmask 0xfffffffff
tcp byte_test:4,=,1,0,bitmask ffff
tcp byte_test:4,=,1,0,hex
tcp byte_test:4,==,1,0
tcp byte_test:4,~,1,0
tcp byte_test:9,=,1,0
tcp content:!"a"; offset:1; prefilter
tcp content:!"abcdefgh"; dsize:5
tcp content:"a"; base64_decode; base64_data; content:"b"; http_uri
tcp content:"a"; base64_decode; base64_data; content:"b"; nocase; depth:2; offset:1; startswith
tcp content:"a"; base64_decode; base64_data; content:"b"; uricontent:"x"
tcp content:"a"; base64_decode; base64_data; pcre:"/a/U"
tcp content:"a"; base64_decode; prefilter
tcp content:"a"; content:"abc"; distance:-1048577
tcp content:"a"; content:"abc"; distance:1048577
tcp content:"a"; content:"abc"; within:-5
tcp content:"a"; content:"abc"; within:0
tcp content:"a"; content:"abc"; within:1048577
tcp content:"a"; content:"b"; offset:1; distance:2
tcp content:"a"; content:"b"; within:1; depth:2
tcp content:"a"; content:"b"; within:5; endswith; depth:5
tcp content:"a"; depth:1; startswith
tcp content:"a"; depth:v; byte_extract:1,0,v
tcp content:"a"; distance:1; startswith
tcp content:"a"; flowbits:set,x; prefilter
tcp content:"a"; http_uri; http2.errorcode:NO_ERROR
tcp content:"a"; http_uri; rawbytes
tcp content:"a"; http_uri; smb.share; content:"a"
tcp content:"a"; offset:0; depth:5; startswith
tcp content:"a"; prefilter; content:"b"; fast_pattern
tcp content:"a"; rawbytes; http_uri
tcp content:"a"; sid:3
tcp content:"a"; startswith; distance:1
tcp content:"a"; startswith; nocase; nocase
tcp content:"a"; startswith; within:1
tcp content:"a"; threshold:type limit,track by_src,count 1,seconds 1; prefilter
tcp content:"abc"; depth:0
tcp content:"abc"; depth:2
tcp content:"abc"; depth:65536
tcp content:"abc"; offset:-1
tcp content:"abc"; offset:65536
tcp content:"abc"; within:2
tcp content:"abcd"; content:"b"; distance:4; content:"c"; distance:5; dsize:12
tcp content:"abcd"; content:"efgh"; distance:0; dsize:7
tcp content:"abcd"; content:"efgh"; distance:2; dsize:9
tcp content:"abcd"; content:"efgh"; within:10; dsize:7
tcp content:"abcd"; depth:10; dsize:3
tcp content:"abcdefgh"; dsize:!5
tcp content:"abcdefgh"; dsize:5
tcp content:"abcdefgh"; dsize:5-7
tcp content:"abcdefgh"; dsize:<5
tcp content:"abcdefgh"; offset:5; dsize:10
tcp detection_filter:track by_src,count 1,seconds 1; detection_filter:track by_src,count 1,seconds 1
tcp dns.query; content:"a"; tls.sni; content:"a"
tcp dsize:5; content:"abcdefgh"
tcp dsize:5<>6
tcp dsize:6<>5
tcp dsize:<0
tcp dsize:>10; dsize:<100
tcp dsize:>1; content:"a"; flowbits:set,x; noalert; prefilter
tcp dsize:>65535
tcp file.data; content:"a"; tls.sni; content:"a"
tcp file.name; content:"a"; http2.frametype:7
tcp file_data; content:"a"; rawbytes
tcp flags:!
tcp flags:+
tcp flags:S,12,3
tcp flags:S,Z
tcp flags:Z
tcp flow.age:5<>6
tcp flow.age:<0
tcp flow:established,to_server; flow:established
tcp flow:established; content:"a"; startswith; offset:1
tcp flow:established; flow:established
tcp flow:established; flow:not_established
tcp flow:established; flow:to_server
tcp flow:no_frag; flow:no_frag
tcp flow:no_frag; flow:only_frag
tcp flow:no_stream; flow:only_stream
tcp flow:only_frag; flow:to_server
tcp flow:only_stream; flow:only_stream
tcp flow:only_stream; flow:to_server
tcp flow:stateless; flow:stateless
tcp flow:stateless; flow:to_server
tcp flow:to_server,from_client
tcp flow:to_server,to_server
tcp flow:to_server; prefilter
tcp flowbits:isset,a; prefilter
tcp fragbits:+
tcp fragbits:X
tcp fragoffset:65536
tcp http.host; content:"a"; pcre:"/a/U"
tcp http.uri; bsize:>1; prefilter
tcp http.uri; content:"a"; base64_decode; base64_data; content:"a"; http.host; content:"b"
tcp http.uri; content:"a"; base64_decode; base64_data; content:"a"; http.uri; content:"b"
tcp http.uri; content:"a"; isdataat:1; prefilter
tcp http.uri; content:"a"; ja3.string; content:"a"
tcp http.uri; content:"a"; rawbytes
tcp http.uri; content:"a"; uricontent:"a"
tcp http.uri; to_lowercase; content:"a"; pcre:"/a/U"
tcp http.uri; urilen:>1; prefilter
tcp http2.errorcode:NO_ERROR; content:"a"; http_uri
tcp http2.header_name; content:"a"; filename:"a"
tcp icmpv6.mtu:5<>6
tcp id:65536
tcp ip_proto:!6
tcp ip_proto:6; prefilter
tcp ip_proto:>6
tcp ipv4.hdr; content:"a"; rawbytes
tcp isdataat:
tcp isdataat:1,foo
tcp isdataat:1; prefilter
tcp isdataat:65536
tcp ja3.string; content:"a"; http.uri; content:"a"
tcp msg:"a"; msg:"b"
tcp pcre:"/a/"; prefilter
tcp prefilter
tcp rev:1; rev:2
tcp sameip; prefilter
tcp smb.share; content:"a"; pkt_data; content:"a"; http_uri
tcp stream_size:both,=>,1
tcp stream_size:both,>,-1
tcp stream_size:foo,<,1
tcp stream_size:server,<,
tcp stream_size:server,<,4294967296
tcp target:src_ip; target:dest_ip
tcp tcp.mss:5<>6
tcp tcp.mss:65536
tcp tcp.mss:<0
tcp threshold:type limit,track by_src,count 1,seconds 1; prefilter
tcp threshold:type limit,track by_src,count 1,seconds 1; threshold:type limit,track by_src,count 1,seconds 1
tcp tls.sni; content:"a"; file.data; content:"a"
tcp tls.sni; content:"a"; filestore
tcp tls.sni; content:"a"; http.uri; content:"a"
tcp tls.version:1.2; prefilter
tcp tos:1; prefilter
tcp tos:256
tcp tos:>5
tcp tos:x100
tcp ttl:1; prefilter; ttl:2; prefilter
tcp ttl:256
tcp ttl:5-5
tcp ttl:5<>5
tcp ttl:5<>6
tcp ttl:<0
tcp ttl:>255
tcp ttl:>=256
tcp urilen:1; prefilter
tcp window:1; prefilter
tls filestore
tls ip_proto:!6
tls ip_proto:6
tls ip_proto:<6
tls ip_proto:>6
tls ja3.hash; content:!"a"
tls ja3.hash; content:"a"; content:"0123456789abcdef0123456789abcdef"
tls ja3.hash; pcre:"/a/"; content:"a"
tls pcre:"/a/W"
tls tls.cert_chain_len:1<>2
tls tls.cert_chain_len:<0
tls tls.cert_fingerprint; content:"a"
tls tls.cert_serial; content:"abcd"; content:"AB:CD"
tls tls.version:1.5
tls tls_cert_notbefore:2020-01-01<>2019-01-01
udp content:"abcdefgh"; dsize:5
udp frame:ssh.stream; content:"a"
udp frame:tls.pdu; content:"a"
udp ip_proto:<6
tcp http.uri; http.uri; content:"a"
tcp http.uri; http.host; content:"a"
tcp http.uri; pkt_data; content:"a"
tcp http.uri; content:"a"; http.host; http.uri; content:"b"
tcp http.uri; to_lowercase; http.uri; content:"a"
tcp content:"a"; http_uri; http_uri
tcp content:"a"; http_uri; http_host
tcp content:"a"; http_uri; content:"b"; http_uri; http_method
tcp content:"a"; base64_decode; base64_data; base64_data; content:"b"
tcp uricontent:"a"; http_uri
tcp file_data; filename:"a"; content:"a"
tcp http.uri; filename:"a"; content:"a"
tcp http.uri; tls.version:1.2
tcp tls.sni; tls_cert_expired; content:"a"
tcp content:"a"; fast_pattern; fast_pattern
tcp content:"a"; fast_pattern:only; fast_pattern
tcp content:"a"; nocase; nocase
`;
