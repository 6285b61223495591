/** Every keyword that Suricata 7.0.10 lists. */
export const KEYWORDS = `
sid priority rev classtype app-layer-protocol tcp.ack tcp.seq tcp.window ipopts ip.src ip.dst tcp.flags fragbits
fragoffset ttl tos itype icode icmp_id icmp_seq icmpv4.hdr dsize flow threshold metadata reference tag msg content
uricontent pcre depth startswith endswith distance within offset replace nocase fast_pattern rawbytes byte_test
byte_jump byte_math sameip geoip ip_proto ftpbounce isdataat id rpc flowvar flowint pktvar noalert alert flowbits
hostbits ipv4-csum tcpv4-csum tcpv6-csum udpv4-csum udpv6-csum icmpv4-csum icmpv6-csum stream_size detection_filter
dataset datarep decode-event gid nfq_set_mark bsize frame flow.age requires tls.version tls.subject tls.issuerdn
tls_cert_notbefore tls_cert_notafter tls_cert_expired tls_cert_valid tls.fingerprint tls_store tls.cert_chain_len
http_cookie http.cookie http_method http.method http.protocol http.start urilen http_client_body http.request_body
http_server_body http.response_body http_header http.header http.header_names http.accept http.accept_lang
http.accept_enc http.connection http.content_len http.content_type http.location http.server http.referer
http_raw_header http.header.raw http_uri http.uri http.uri.raw http_raw_uri http_stat_msg http.stat_msg http_stat_code
http.stat_code http_user_agent http.user_agent http_host http.host http_raw_host http.host.raw http.request_line
http.response_line nfs_procedure nfs.version ssh.proto ssh.protoversion ssh.software ssh.softwareversion ssh.hassh
ssh.hassh.server ssh.hassh.string ssh.hassh.server.string ssl_version ssl_state byte_extract file.data pkt_data
app-layer-event http2.frametype http2.errorcode http2.priority http2.window http2.size_update http2.settings
http2.header_name http.request_header http.response_header dcerpc.iface dcerpc.opnum dcerpc.stub_data smb.named_pipe
smb.share smb.ntlmssp_user smb.ntlmssp_domain asn1 engine-event stream-event config filename file.name fileext
filestore filemagic file.magic filemd5 filesha1 filesha256 filesize l3_proto lua iprep dns.query dns.opcode tls.sni
tls.certs tls.cert_issuer tls.cert_subject tls.cert_serial tls.cert_fingerprint tls.random_time tls.random_bytes
tls.random ja3.hash ja3.string ja3s.hash ja3s.string modbus cip_service enip_command dnp3.data dnp3_func dnp3_ind
dnp3_obj xbits base64_decode base64_data krb5_err_code krb5_msg_type krb5.cname krb5.sname krb5.ticket_encryption
sip.method sip.uri sip.protocol sip.stat_code sip.stat_msg sip.request_line sip.response_line rfb.secresult
rfb.sectype rfb.name ipv4.hdr ipv6.hdr icmpv6.hdr icmpv6.mtu tcp.hdr udp.hdr tcp.mss ftpdata_command target
dhcp.leasetime dhcp.rebinding_time dhcp.renewal_time snmp.usm snmp.version snmp.community snmp.pdu_type mqtt.type
mqtt.flags mqtt.qos mqtt.protocol_version mqtt.reason_code mqtt.connect.flags mqtt.connect.clientid
mqtt.connect.username mqtt.connect.password mqtt.connect.willtopic mqtt.connect.willmessage
mqtt.connack.session_present mqtt.publish.topic mqtt.publish.message mqtt.subscribe.topic mqtt.unsubscribe.topic
quic.version quic.sni quic.ua quic.cyu.hash quic.cyu.string bypass prefilter compress_whitespace strip_whitespace
strip_pseudo_headers to_md5 to_sha1 to_sha256 dotprefix pcrexform url_decode xor header_lowercase to_lowercase
to_uppercase ike.exchtype ike.init_spi ike.resp_spi ike.vendor ike.chosen_sa_attribute ike.key_exchange_payload_length
ike.nonce_payload_length ike.nonce_payload ike.key_exchange_payload ja4.hash
`;

/** Rules as `protocol options`, one of them on each line, that Suricata 7.0.10 loads (`suricata -T`). */
export const TAKEN = String.raw`
tcp priority:1
tcp rev:2
tcp classtype:trojan-activity
tcp classtype:nosuchclass
tcp app-layer-protocol:http
tcp app-layer-protocol:!http
tcp app-layer-protocol:failed
tcp app-layer-protocol:!failed
tcp app-layer-protocol:http1
tcp tcp.ack:1
tcp ack:1
udp ack:1
tcp tcp.seq:4294967295
tcp tcp.window:100
tcp window:!100
udp window:100
ip ipopts:rr
ip ipopts:any
ip ipopts:esec
ip ip.src; content:"a"
ip ip.src
ip ip.dst; content:"a"
tcp tcp.flags:SA
tcp flags:*SA
tcp flags:SA*
tcp flags:!S
tcp flags:S,12
tcp flags:S,CE
tcp flags:0
tcp flags:S0
tcp flags:SAFRPUCE
tcp flags:SS
tcp flags:+S
tcp flags:S!
udp flags:S
icmp flags:S
ip fragbits:M
ip fragbits:!M
ip fragbits:MD+
ip fragbits:*D
ip fragbits:R
ip fragbits:MM
ip fragoffset:10
ip fragoffset:>10
ip fragoffset:<10
ip ttl:10
ip ttl:<10
ip ttl:>10
ip ttl:1-10
ip ttl:!10
ip ttl:>=10
ip ttl:<=10
ip ttl:1<>10
ip tos:8
ip tos:!8
ip tos:x8
ip tos:!x8
icmp itype:8
icmp itype:>8
icmp itype:8<>10
icmp itype:!8
icmp itype:8-10
tcp itype:8
icmp icode:8
icmp icode:>8
icmp icode:<=8
icmp icmp_id:10
icmp icmp_seq:10
tcp icmp_seq:1
icmp icmpv4.hdr; content:"a"
tcp dsize:10
tcp dsize:>10
tcp dsize:<10
tcp dsize:10<>20
tcp dsize:!10
tcp dsize:>=10
tcp dsize:10-20
tcp flow:established
tcp flow:not_established
tcp flow:stateless
tcp flow:established,to_server
tcp flow:only_stream
tcp flow:no_stream
tcp flow:only_frag
tcp flow:no_frag
udp flow:established,to_server
tcp flow:ESTABLISHED,TO_SERVER
tcp flow:established,to_server,only_stream
tcp threshold:type limit, track by_src, count 1, seconds 60
tcp threshold:type both, track by_dst, count 5, seconds 60
tcp threshold:type threshold, track by_rule, count 5, seconds 60
tcp threshold:type limit, track by_both, count 1, seconds 60
tcp threshold:track by_src, type limit, seconds 60, count 1
tcp detection_filter:track by_src, count 5, seconds 60
tcp detection_filter:track by_dst, count 5, seconds 60
tcp detection_filter:count 5, track by_src, seconds 60
tcp metadata:a b
tcp metadata:a b, c d
tcp reference:url,www.example.com
tcp reference:cve,2020-1
tcp reference:nosuch,2020-1
tcp tag:session,10,packets
tcp tag:session
tcp tag:host,10,seconds,src
tcp tag:host,10,seconds,dst
tcp tag:host,10,seconds
tcp tag:session,10,seconds,src
tcp msg:"a"
tcp msg:"a\;b"
tcp content:"a"
tcp content:!"a"
tcp content:"|41 42|"
tcp content:"|4142|"
tcp content:"a\"b"
tcp content:"a\\b"
tcp content:"a\:b"
tcp content:"a"; content:"b"
tcp content: "a"
tcp uricontent:"a"
http uricontent:"a"
http uricontent:!"a"
udp uricontent:"a"
tcp pcre:"/a/"
tcp pcre:!"/a/"
tcp pcre:"/a/i"
tcp pcre:"/a/U"
http pcre:"/a/U"
http pcre:"/a/W"
http pcre:"/A/Wi"
udp pcre:"/a/U"
tcp content:"a"; pcre:"/a/R"
tcp pcre:"/(?P<flow_x>a)/"
tcp pcre:"/(?P<pkt_x>a)/"
tcp pcre:"/(a)/, flow:x"
tcp pcre:"/(a)/, pkt:x"
tcp pcre:"/(a)(b)/, flow:x, pkt:y"
tcp pcre:"/a/, flow:x"
tcp pcre:"/(?<x>a)/"
tcp pcre:"/(?P<flow_x>a)(?P<pkt_y>b)/"
http pcre:"/(a)/U, flow:x"
tcp pcre:"/a{1,2}+/"
tcp pcre:"/[[:alpha:]]/"
tcp pcre:"/a/BO"
tcp pcre:"/a/smixAEG"
tcp pcre:"/\p{L}/"
tcp pcre:"/(?<!a)b/"
tcp pcre:"/a\/b/"
tcp pcre:"/a/b/"
tcp pcre:"//"
tcp pcre:"/^a$/m"
tcp content:"a"; depth:1
tcp content:"a"; offset:1
tcp content:"a"; startswith
tcp content:!"a"; startswith
tcp content:"a"; endswith
tcp content:!"a"; endswith
tcp content:"a"; depth:5; endswith
tcp content:"a"; offset:5; endswith
tcp content:"a"; endswith; offset:5
tcp content:"a"; endswith; depth:5
tcp content:"a"; startswith; endswith
tcp content:"a"; content:"b"; distance:1; endswith
tcp content:"a"; content:"b"; within:1; endswith
tcp content:"a"; endswith; endswith
tcp content:"a"; rawbytes; endswith
tcp content:"a"; distance:1
tcp content:"a"; content:"b"; distance:1
tcp content:"a"; content:"b"; distance:-1
tcp content:"a"; content:"b"; distance:1; within:5
tcp content:"a"; content:"b"; within:5
tcp content:"a"; content:!"b"; distance:0; within:5
tcp content:!"a"; content:"b"; distance:1
tcp content:"a"; within:5
tcp content:"a"; content:"b"; distance:1048576
tcp content:"a"; replace:"b"
tcp content:"a"; replace:"bb"
tcp content:"a"; nocase
tcp content:"a"; fast_pattern
tcp content:"a"; fast_pattern:only
tcp content:"abc"; fast_pattern:1,2
tcp content:"abcd"; fast_pattern:chop,1,3
tcp content:!"a"; fast_pattern
tcp content:"a"; rawbytes
tcp byte_test:1,>,1,0
tcp byte_test:4,=,0x1f,0,relative
tcp byte_test:4,!=,5,0
tcp byte_test:4,!=,5,0,big
tcp byte_test:4,=,5,0,little
tcp byte_test:4,=,5,0,string,hex
tcp byte_test:4,=,5,0,string,dec
tcp byte_test:4,=,5,0,string,oct
tcp byte_test:4,=,5,0,string
tcp byte_test:8,=,5,0
tcp byte_test:0,=,5,0
tcp byte_test:1,&,5,0
tcp byte_test:1,^,5,0
tcp byte_test:1,!&,5,0
tcp byte_test:1,!>,5,0
tcp byte_test:1,>=,5,0
tcp byte_test:1,<=,5,0
tcp byte_test:1,!,5,0
tcp byte_test:1,>,5,0,dce
dcerpc byte_test:1,>,5,0,dce
tcp byte_test:1,>,5,0,bitmask 0x0f
tcp byte_test:1,>,5,0,bitmask 0xffff
tcp byte_test:1,>,5,-1,relative
tcp byte_extract:1,0,v; byte_test:1,>,v,0
tcp byte_extract:1,0,v; byte_test:v,>,1,0
tcp byte_jump:1,0
tcp byte_jump:4,0,relative
tcp byte_jump:4,0,relative,multiplier 2
tcp byte_jump:4,0,align
tcp byte_jump:4,0,from_beginning
tcp byte_jump:4,0,from_end
tcp byte_jump:4,0,post_offset 4
tcp byte_jump:4,0,post_offset -4
tcp byte_jump:4,0,string,dec
tcp byte_jump:4,0,little,big
tcp byte_jump:0,0,from_end,post_offset -4
tcp byte_jump:4,0,dce
dcerpc byte_jump:4,0,dce
tcp byte_extract:1,0,v; byte_jump:v,0
tcp byte_extract:1,0,v; byte_jump:4,v
tcp byte_math:bytes 4, offset 0, oper +, rvalue 2, result v
tcp byte_math:bytes 4, offset 0, oper /, rvalue 2, result v, relative, endian little
tcp byte_math:bytes 4, offset 0, oper <<, rvalue 2, result v, string dec
tcp byte_math:bytes 4, offset 0, oper >>, rvalue 2, result v, string hex
tcp byte_math:bytes 4, offset 0, oper *, rvalue 2, result v, bitmask 0xff
tcp byte_math:bytes 4, offset 0, oper +, rvalue 0, result v
tcp byte_extract:1,0,w; byte_math:bytes 4, offset 0, oper +, rvalue w, result v
tcp byte_extract:1,0,w; byte_math:bytes w, offset 0, oper +, rvalue 2, result v
tcp byte_math:bytes 4, offset 0, oper +, rvalue 2, result v; byte_test:1,=,v,0
tcp byte_math:bytes 4, offset 0, oper +, rvalue 2, result v; content:"a"; offset:v
tcp byte_extract:4,0,v
tcp byte_extract:4,0,v,relative
tcp byte_extract:4,0,v,multiplier 2,align 4
tcp byte_extract:4,0,v,align 2
tcp byte_extract:4,0,v,little
tcp byte_extract:4,0,v,string,hex
tcp byte_extract:4,0,v,dce
tcp byte_extract:4,0,9v
tcp byte_extract:4,-1,v,relative
tcp byte_extract:4,0,v; byte_extract:4,0,v
tcp byte_extract:4,0,v; content:"a"; depth:v
tcp byte_extract:4,0,v; content:"a"; offset:v; depth:v
tcp byte_extract:4,0,v; content:"a"; distance:v; within:v
tcp byte_extract:4,0,v; isdataat:v
tcp byte_extract:4,0,v; isdataat:!v,relative
tcp isdataat:10
tcp isdataat:!10
tcp isdataat:10,relative
tcp isdataat:10,relative,rawbytes
ip sameip
ip ip_proto:6
ip ip_proto:tcp
ip ip_proto:TCP
ip ip_proto:!tcp
ip ip_proto:>6
ip ip_proto:<6
ip ip_proto:!6; ip_proto:!17
ftp ftpbounce
tcp ftpbounce
ip id:1
tcp rpc:100000,*,*
tcp rpc:100000,2,3
udp rpc:100000
tcp flowvar:x,"a"
tcp flowvar:x,a
tcp flowvar:x,"|41|"
tcp pktvar:x,"a"
tcp pktvar:x,a
tcp noalert
tcp alert
tcp flowbits:set,a
tcp flowbits:isset,a
tcp flowbits:noalert
tcp flowbits:toggle,a
tcp flowbits:isset,a|b
tcp flowbits:isset,a|b|c
tcp flowbits:set,a|b
tcp flowbits:isnotset,a|b
tcp flowbits:set, a
tcp flowbits:isset,a; flowbits:isnotset,a
tcp flowbits:set,a; flowbits:unset,a
tcp flowbits:set,a; flowbits:isset,a
tcp hostbits:set,a,src
tcp hostbits:isset,a,dst
tcp hostbits:isset,a
tcp hostbits:noalert
tcp hostbits:isset,a|b,src
tcp xbits:set,a,track ip_src
tcp xbits:set,a,track ip_src,expire 10
tcp xbits:isset,a,track ip_dst
tcp xbits:isset,a,track ip_pair
tcp xbits:isset,a,track ip_src,expire 10
tcp xbits:unset,a,track ip_src
tcp xbits:toggle,a,track ip_src
tcp xbits:isnotset,a,track ip_src
ip ipv4-csum:valid
ip ipv4-csum:invalid
tcp tcpv4-csum:valid
tcp tcpv6-csum:invalid
udp udpv4-csum:valid
udp udpv6-csum:invalid
icmp icmpv4-csum:valid
icmp icmpv6-csum:invalid
tcp stream_size:both,>,5
tcp stream_size:client,<,5
tcp stream_size:server,=,5
tcp stream_size:either,!=,5
tcp stream_size:both,>=,5
udp stream_size:both,>,5
http http.uri; dataset:set,x1,type string
http http.uri; dataset:isset,x1,type string
http http.uri; dataset:isset,x2,type md5
http http.uri; dataset:isset,x3,type sha256
http http.uri; dataset:isset,x4,type ipv4
http http.uri; dataset:isset,x5,type ip
http http.uri; dataset:isset,x7,type string,memcap 1mb,hashsize 1000
http http.uri; dataset:unset,x1,type string
http http.uri; datarep:r1,>,10,type string
pkthdr decode-event:ipv4.pkt_too_small
pkthdr decode-event:ipv4.opt_unknown
tcp gid:5
tcp nfq_set_mark:0x1/0x2
http http.uri; bsize:10
http http.uri; bsize:>10
http http.uri; bsize:10<>20
http http.uri; bsize:!10
http http.uri; bsize:<=10
http http.uri; content:"abcdef"; bsize:6
http http.uri; bsize:10; bsize:11
tcp flow.age:>10
tcp flow.age:10
tcp flow.age:1-5
tcp flow.age:1<>5
tcp requires:version >= 7
tcp requires:version >= 9
tcp requires:version >= 7.0.3 < 8
tcp requires:version >= 7.0.3 < 8 | >= 9
tcp requires:feature nosuch
tcp requires:keyword sip.method
tcp requires:keyword nosuch
tcp requires:nosuch x
tcp requires:version < 7
tcp requires:feature output::file-store
tcp requires:version >= 7, keyword bsize
tcp requires:version >= 7; requires:version >= 7
tls tls.version:1.2
tls tls.version:0x1234
tls tls.subject:"CN=a"
tls tls.subject:!"CN=a"
tls tls.issuerdn:"CN=a"
tls tls_cert_notbefore:2016
tls tls_cert_notbefore:>2016-07-20
tls tls_cert_notbefore:2016<>2017
tls tls_cert_notafter:<2016-07-20T12:34:56
tls tls_cert_expired
tls tls_cert_valid
tls tls_cert_expired; tls_cert_valid
tls tls_store
tls tls.store
tls tls.cert_chain_len:1
tls tls.cert_chain_len:>1
http content:"a"; http_cookie
http http.cookie; content:"a"
http content:"a"; http_method
http http.method; content:"a"
http http.method; content:"a"; depth:5
tcp http.method; content:"GET"
udp http.method; content:"GET"
http http.protocol; content:"a"
http http.start; content:"a"
http urilen:10
http urilen:<10
http urilen:10<>20
http urilen:>10,raw
http urilen:10,norm
http urilen:!10
http urilen:>=10
tcp urilen:10
udp urilen:10
http content:"a"; http_client_body
http http.request_body; content:"a"
http content:"a"; http_server_body
http http.response_body; content:"a"
http content:"a"; http_header
http http.header; content:"a"
http http.header_names; content:"a"
http http.accept; content:"a"
http http_accept; content:"a"
http http.accept_lang; content:"a"
http http.accept_enc; content:"a"
http http.connection; content:"a"
http http.content_len; content:"a"
http http.content_type; content:"a"
http http.location; content:"a"
http http.server; content:"a"
http http.referer; content:"a"
http content:"a"; http_uri
http http.uri; content:"a"
http http.uri.raw; content:"a"
http content:"a"; http_raw_uri
http http.stat_msg; content:"a"
http content:"a"; http_stat_msg
http http.stat_code; content:"a"
http content:"a"; http_stat_code
http http.user_agent; content:"a"
http content:"a"; http_user_agent
http http.host; content:"a"
http content:"a"; http_host
http http.host.raw; content:"A"
http content:"a"; http_raw_host
http http.request_line; content:"a"
http http.response_line; content:"a"
http http.request_header; content:"a"
http http.response_header; content:"a"
nfs nfs_procedure:1
nfs nfs_procedure:1<>5
nfs nfs_procedure:>5
nfs nfs.version:3
nfs nfs_version:3
nfs nfs.version:2-3
ssh ssh.proto; content:"2"
ssh ssh_proto; content:"2"
ssh ssh.protoversion:2.0
ssh ssh.protoversion:2_compat
ssh ssh.protoversion:"2.0"
ssh ssh.software; content:"a"
ssh ssh.softwareversion:"OpenSSH"
ssh ssh.softwareversion:OpenSSH
ssh ssh.hassh; content:"0123456789abcdef0123456789abcdef"
ssh ssh.hassh.string; content:"a"
ssh ssh.hassh.server.string; content:"a"
tls ssl_version:tls1.2
tls ssl_version:sslv3,tls1.0
tls ssl_version:!tls1.2
tls ssl_state:client_hello
tls ssl_state:client_hello,server_hello
tls ssl_state:client_hello|server_hello
tls ssl_state:!client_hello
tls ssl_state:unknown
http file.data; content:"a"
http file_data; content:"a"
tcp file.data; content:"a"
smb file.data; content:"a"
ftp-data file.data; content:"a"
http file_data; content:"a"; pkt_data; content:"b"
http flow:to_server; file_data; content:"a"
http app-layer-event:http.missing_host_header
http app-layer-event:http.nosuch
tcp app-layer-event:applayer_mismatch_protocol_both_directions
dns app-layer-event:dns.malformed_data
http2 http2.frametype:GOAWAY
http2 http2.frametype:RSTSTREAM
http2 http2.frametype:WINDOWUPDATE
http2 http2.frametype:7
http2 http2.errorcode:NO_ERROR
http2 http2.errorcode:5
http2 http2.priority:100
http2 http2.priority:>100
http2 http2.window:>100
http2 http2.size_update:5
http2 http2.settings:SETTINGS_ENABLE_PUSH=0
http2 http2.settings:SETTINGS_INITIAL_WINDOW_SIZE > 5
http2 http2.settings:SETTINGS_ENABLE_PUSH
http2 http2.header_name; content:"a"
dcerpc dcerpc.iface:367abb81-9844-35f1-ad32-98f038001003
dcerpc dcerpc.iface:367abb81-9844-35f1-ad32-98f038001003,>1
dcerpc dcerpc.iface:367abb81-9844-35f1-ad32-98f038001003,any_frag
dcerpc dcerpc.iface:367abb81-9844-35f1-ad32-98f038001003,<5,any_frag
dcerpc dce_iface:367abb81-9844-35f1-ad32-98f038001003
tcp dcerpc.iface:367abb81-9844-35f1-ad32-98f038001003
dcerpc dcerpc.opnum:15
dcerpc dcerpc.opnum:15-18
dcerpc dcerpc.opnum:15,17,20-22
dcerpc dce_opnum:1
dcerpc dcerpc.stub_data; content:"a"
dcerpc dce_stub_data; content:"a"
smb smb.named_pipe; content:"a"
smb smb.share; content:"a"
smb smb.ntlmssp_user; content:"a"
smb smb.ntlmssp_domain; content:"a"
tcp asn1:oversize_length 1000
tcp asn1:bitstring_overflow
tcp asn1:double_overflow
tcp asn1:oversize_length 1000, absolute_offset 5
tcp asn1:oversize_length 1000, relative_offset 5
tcp asn1:bitstring_overflow, double_overflow, oversize_length 10
tcp asn1:relative_offset 5
tcp asn1:oversize_length 1000, absolute_offset 5, relative_offset 5
udp asn1:oversize_length 1000, relative_offset -5
udp asn1:oversize_length 1000; asn1:double_overflow
tcp engine-event:decoder.ipv4.pkt_too_small
tcp stream-event:3whs_ack_in_wrong_dir
http config:logging disable, type tx, scope tx
http config: logging disable, type flow, scope flow
dns dns.query; content:"a"; config: logging disable, type tx, scope tx
http config: logging disable, type tx, scope flow
http filename:"a"
http filename:!"a"
http filename:a
http file.name; content:"a"
http fileext:"exe"
http fileext:!"exe"
http fileext:exe
http filestore
http filestore:request,file
http filestore:response,tx
http filestore:both,flow
http filestore:to_server,file
http filestore:foo,file
http filemagic:"PDF"
http filemagic:!"PDF"
http file.magic; content:"PDF"
http filesize:10
http filesize:>10
http filesize:10<>20
http filesize:!10
tcp l3_proto:ipv4
tcp l3_proto:ip6
ip l3_proto:ipv4
ip l3_proto:ipv6
ip l3_proto:ip4
dns dns.query; content:"a"
dns dns_query; content:"a"
tcp dns.query; content:"a"
dns dns.opcode:1
dns dns.opcode:!1
dns dns.opcode:16
tls tls.sni; content:"a"
tls tls_sni; content:"a"
tls tls.certs; content:"a"
tls tls.cert_issuer; content:"a"
tls tls_cert_issuer; content:"a"
tls tls.cert_subject; content:"a"
tls tls_cert_subject; content:"a"
tls tls.cert_serial; content:"5C:19"
tls tls.cert_serial; content:"5c:19"
tls tls_cert_serial; content:"5C:19"
tls tls.cert_fingerprint; content:"4a:a3:66:76:82:cb:6b:23:bb:c3:58:47:23:a4:63:a7:78:a4:a1:18"
tls tls.random_time; content:"|01 02 03 04|"
tls tls.random_bytes; content:"a"
tls tls.random; content:"a"
tls ja3.hash; content:"ABCDEF00112233445566778899aabbcc"
tls ja3.string; content:"a"
tls ja3_string; content:"a"
tls ja3s.string; content:"a"
tls ja4.hash; content:"a"
modbus modbus:function 8
modbus modbus:function 8, subfunction 4
modbus modbus:function assigned
modbus modbus:function !public
modbus modbus:function !assigned
modbus modbus:access read
modbus modbus:access write coils
modbus modbus:access read discretes, address >100
modbus modbus:access write holding, address 500, value >200
modbus modbus:unit 10
modbus modbus:unit >10, function 4
modbus modbus:unit 1<>5, access read
tcp modbus:function 8
enip cip_service:75
enip cip_service:16,246,6
enip enip_command:99
dnp3 dnp3.data; content:"a"
dnp3 dnp3_data; content:"a"
dnp3 dnp3_func:2
dnp3 dnp3_func:write
dnp3 dnp3_ind:all_stations
dnp3 dnp3_ind:device_restart,class_1_events
dnp3 dnp3_obj:99,99
tcp content:"a"; base64_decode:bytes 5; base64_data; content:"b"
tcp base64_decode
tcp base64_decode:bytes 5, offset 5, relative
tcp base64_decode:relative
tcp base64_decode; base64_data
tcp base64_decode; base64_data; content:"a"; depth:5
krb5 krb5_err_code:6
krb5 krb5_msg_type:10
krb5 krb5.cname; content:"a"
krb5 krb5_cname; content:"a"
krb5 krb5.sname; content:"a"
krb5 krb5.ticket_encryption:weak
krb5 krb5.ticket_encryption:!weak
krb5 krb5.ticket_encryption:rc4-hmac
krb5 krb5.ticket_encryption:rc4-hmac,des-cbc-md5
krb5 krb5.ticket_encryption:23
sip sip.method; content:"a"
sip sip.uri; content:"a"
sip sip.protocol; content:"a"
sip sip.stat_code; content:"a"
sip sip.stat_msg; content:"a"
sip sip.request_line; content:"a"
sip sip.response_line; content:"a"
rfb rfb.secresult:ok
rfb rfb.secresult:fail
rfb rfb.secresult:toomany
rfb rfb.secresult:unknown
rfb rfb.sectype:2
rfb rfb.sectype:>2
rfb rfb.name; content:"a"
ip ipv4.hdr; content:"a"
ip ipv6.hdr; content:"a"
ip icmpv6.hdr; content:"a"
icmp icmpv6.hdr; content:"a"
icmp icmpv6.mtu:1280
icmp icmpv6.mtu:<1280
tcp tcp.hdr; content:"a"
udp udp.hdr; content:"a"
tcp tcp.mss:536
tcp tcp.mss:<536
tcp tcp.mss:500-600
tcp tcp.mss:500<>600
ftp-data ftpdata_command:retr
ftp-data ftpdata_command:stor
tcp ftpdata_command:retr
tcp target:src_ip
tcp target:dest_ip
dhcp dhcp.leasetime:5
dhcp dhcp.leasetime:>5
dhcp dhcp.rebinding_time:5
dhcp dhcp.renewal_time:<5
snmp snmp.version:3
snmp snmp.version:>1
snmp snmp.version:5
snmp snmp.community; content:"a"
snmp snmp.usm; content:"a"
snmp snmp.pdu_type:3
snmp snmp.pdu_type:100
mqtt mqtt.type:CONNECT
mqtt mqtt.type:connect
mqtt mqtt.flags:dup
mqtt mqtt.flags:!retain
mqtt mqtt.flags:dup,!retain
mqtt mqtt.qos:1
mqtt mqtt.protocol_version:5
mqtt mqtt.protocol_version:>3
mqtt mqtt.reason_code:5
mqtt mqtt.connack.return_code:5
mqtt mqtt.connect.flags:username
mqtt mqtt.connect.flags:username,password,!will
mqtt mqtt.connect.flags:will_retain
mqtt mqtt.connect.flags:clean_session
mqtt mqtt.connect.clientid; content:"a"
mqtt mqtt.connect.username; content:"a"
mqtt mqtt.connect.password; content:"a"
mqtt mqtt.connect.willtopic; content:"a"
mqtt mqtt.connect.willmessage; content:"a"
mqtt mqtt.connack.session_present:yes
mqtt mqtt.connack.session_present:true
mqtt mqtt.connack.session_present:no
mqtt mqtt.publish.topic; content:"a"
mqtt mqtt.publish.message; content:"a"
mqtt mqtt.subscribe.topic; content:"a"
mqtt mqtt.unsubscribe.topic; content:"a"
quic quic.version; content:"a"
quic quic.sni; content:"a"
quic quic.ua; content:"a"
quic quic.cyu.string; content:"a"
tcp bypass
http http.uri; content:"a"; bypass
tcp content:"a"; prefilter
tcp flags:S; prefilter
tcp ttl:5; prefilter
http http.uri; compress_whitespace; content:"a b"
http http.uri; strip_whitespace; content:"ab"
http http.uri; to_md5; content:"|00|"
http http.uri; to_sha1; content:"|00|"
http http.uri; to_sha256; content:"|00|"
http http.host; dotprefix; content:".a"
http http.uri; dotprefix; content:".a"
dns dns.query; dotprefix; content:".a"
http http.uri; pcrexform:"a(b)"; content:"a"
http http.uri; pcrexform:"[a-zA-Z]+\s+(.*)\s+HTTP"; content:"a"
http http.uri; url_decode; content:"a"
http http.uri; xor:"0d0ac8ff"; content:"a"
http http.header; header_lowercase; content:"a"
http http.header; strip_pseudo_headers; content:"a"
http http.uri; to_lowercase; content:"a"
http http.uri; to_uppercase; content:"A"
http http.uri; content:"a"; to_lowercase; content:"b"
ike ike.exchtype:34
ike ike.exchtype:>34
ike ike.init_spi; content:"a"
ike ike.resp_spi; content:"a"
ike ike.vendor; content:"a"
ike ike.chosen_sa_attribute:alg_enc=1
ike ike.key_exchange_payload_length:>100
ike ike.nonce_payload_length:<100
ike ike.nonce_payload; content:"a"
ike ike.key_exchange_payload; content:"a"
smb frame:smb1.hdr; content:"a"
smb frame:smb2.hdr; content:"a"
smb frame:smb2.data; content:"a"
smb frame:smb1.data; content:"a"
smb frame:smb3.hdr; content:"a"
smb frame:smb3.data; content:"a"
smb frame:nbss.pdu; content:"a"
smb frame:nbss.hdr; content:"a"
smb frame:nbss.data; content:"a"
smb frame:smb1.pdu; content:"a"
smb frame:smb2.pdu; content:"a"
smb frame:smb3.pdu; content:"a"
tcp frame:smb.smb1.hdr; content:"a"
sip frame:pdu; content:"a"
sip frame:request.line; content:"a"
sip frame:request.headers; content:"a"
sip frame:request.body; content:"a"
sip frame:response.line; content:"a"
sip frame:response.headers; content:"a"
sip frame:response.body; content:"a"
sip frame:sip.pdu; content:"a"
udp frame:sip.pdu; content:"a"
dns frame:pdu; content:"a"
tcp frame:dns.pdu; content:"a"
tls frame:pdu; content:"a"
tls frame:hdr; content:"a"
tls frame:data; content:"a"
tls frame:alert; content:"a"
tls frame:heartbeat; content:"a"
tls frame:ssl2.hdr; content:"a"
tls frame:ssl2.pdu; content:"a"
nfs frame:rpc.pdu; content:"a"
nfs frame:rpc.hdr; content:"a"
nfs frame:rpc.data; content:"a"
nfs frame:rpc.creds; content:"a"
nfs frame:nfs4.pdu; content:"a"
nfs frame:nfs4.hdr; content:"a"
nfs frame:nfs4.ops; content:"a"
nfs frame:nfs4.status; content:"a"
telnet frame:pdu; content:"a"
telnet frame:ctl; content:"a"
telnet frame:data; content:"a"
http1 frame:request; content:"a"
http1 frame:response; content:"a"
tcp frame:http1.request; content:"a"
mqtt frame:pdu; content:"a"
mqtt frame:header; content:"a"
mqtt frame:data; content:"a"
rfb frame:pdu; content:"a"
ssh frame:stream; content:"a"
tls frame:stream; content:"a"
smb frame:smb.stream; content:"a"
imap content:"a"
telnet content:"a"
bittorrent-dht content:"a"
pgsql content:"a"
tftp content:"a"
rdp content:"a"
ntp content:"a"
sctp content:"a"
tcp-pkt content:"a"
tcp-stream content:"a"
ipv4 content:"a"
ipv6 content:"a"
ip4 content:"a"
ip6 content:"a"
pkthdr content:"a"
icmpv4 content:"a"
icmpv6 content:"a"
ike content:"a"
ikev2 content:"a"
ftp-data content:"a"
http1 content:"a"
http2 content:"a"
dcerpc content:"a"
http1 frame:stream; content:"a"
dns frame:stream; content:"a"
mqtt frame:stream; content:"a"
rfb frame:stream; content:"a"
nfs frame:stream; content:"a"
telnet frame:stream; content:"a"
smtp frame:stream; content:"a"
ftp frame:stream; content:"a"
http frame:stream; content:"a"
http2 frame:stream; content:"a"
dcerpc frame:stream; content:"a"
tcp frame:ssh.stream; content:"a"
udp frame:dns.pdu; content:"a"
tcp frame:smtp.stream; content:"a"
tls frame:tls.pdu; content:"a"
tcp frame:tls.pdu; content:"a"
smb frame:smb1.hdr; bsize:32
smb frame:smb1.hdr; content:"a"; frame:smb1.data; content:"b"
smb frame:smb1.hdr; to_lowercase; content:"a"
smb frame:smb1.hdr; pcre:"/a/"
nfs frame:nfs.nfs4.pdu; content:"a"
http frame:http1.request; content:"a"
http1 frame:http1.request; content:"a"
ip frame:tls.pdu; content:"a"
http flow:to_server; http.header.raw; content:"a"
http http.header.raw; content:"a"; flow:to_client
http flow:to_server; http.response_body; content:"a"
http http.uri; to_lowercase; content:!"ABC"
http http.uri; compress_whitespace; content:!"A  B"
http http.uri; to_uppercase; content:"ABC"; nocase
tcp-stream content:"abc"; tcpv4-csum:valid
tcp-stream ip.src; content:"a"
tcp-stream http.uri; content:"a"
tcp app-layer-protocol:http; http.uri; content:"a"
tcp app-layer-protocol:!http; app-layer-protocol:!tls
tcp file.data; content:"a"; app-layer-protocol:http
tcp content:"x"; flowint:a.b,+,1
tcp content:"x"; flowint:ab,isset,1
`;

/** Those that it refuses. */
export const REFUSED_RULES = String.raw`
tcp priority:a
tcp rev:0
tcp rev:a
tcp classtype:"trojan-activity"
tcp app-layer-protocol:nosuch
http app-layer-protocol:http
tcp tcp.ack:x
tcp seq:4294967296
tcp window:65536
tcp window:>100
ip ipopts:nosuch
ip ipopts:lsrre
tcp flags:x
tcp flags:
tcp flags:-S
tcp flags:S,U+
ip fragbits:x
ip fragoffset:65536
ip ttl:10-1
ip ttl:256
ip ttl:x
ip tos:256
ip tos:>8
ip tos:0x8
icmp itype:10<>8
icmp itype:256
icmp icode:300
icmp icmp_id:"10"
icmp icmp_id:65536
icmp icmp_seq:"10"
icmp icmp_seq:65536
tcp icmpv4.hdr; content:"a"
icmp icmpv4.hdr
tcp dsize:20<>10
tcp dsize:65536
tcp dsize:x
tcp flow:to_server,to_client
tcp flow:established,not_established
tcp flow:established,stateless
tcp flow:established,established
tcp flow:from_client,to_server
tcp flow:only_stream,no_stream
tcp flow:only_frag,no_frag
tcp flow:nosuch
tcp flow:
tcp flow:established,to_server,only_stream,no_frag
tcp threshold:type limit, track by_src, count 1
tcp threshold:type nosuch, track by_src, count 1, seconds 60
tcp threshold:type limit; track by_src
tcp threshold:type limit, track by_host, count 1, seconds 60
tcp detection_filter:track by_src, count 0, seconds 60
tcp detection_filter:track by_src, count 5
tcp threshold:type limit, track by_src, count 1, seconds 60; detection_filter:track by_src, count 5, seconds 60
tcp threshold:type limit, track by_src, count 1, seconds 60; threshold:type limit, track by_src, count 1, seconds 60
tcp metadata:
tcp reference:url
tcp tag:host,10,nosuch,dst
tcp tag:nosuch
tcp msg:a
tcp msg:""
tcp content:a
tcp content:""
tcp content:"|41 4|"
tcp content:"|41"
tcp content:"|zz|"
tcp content:"a\b"
tcp content:"a|"
tcp content:"a;b"
tcp pcre:"/a"
tcp pcre:"a/i"
tcp pcre:"/a/q"
tcp pcre:"/(a/"
http pcre:"/a/UH"
http pcre:"/a/UI"
http pcre:"/A/W"
dns pcre:"/a/U"
tcp pcre:"/a/R"
tcp pcre:"/(a)/flow:x"
tcp pcre:"/(a)/, flow:x, pkt:y"
tcp pcre:"/(a)/, foo:x"
tcp content:"ab"; depth:1
tcp depth:1
tcp content:"a"; depth:-1
tcp content:"a"; depth:65536
tcp content:"a"; depth:1; depth:2
tcp content:"a"; depth:x
tcp content:"a"; offset:1; offset:2
tcp content:"a"; offset:-1
tcp content:"a"; offset:x
tcp offset:1
tcp startswith
tcp content:"a"; startswith; depth:5
tcp content:"a"; depth:5; startswith
tcp content:"a"; startswith; offset:5
tcp content:"a"; startswith; distance:5
tcp content:"a"; offset:0; startswith
tcp content:"a"; startswith; startswith
tcp endswith
tcp distance:1
tcp content:"a"; content:"b"; distance:1; distance:2
tcp content:"a"; content:"b"; distance:x
tcp content:"a"; content:"b"; distance:1; offset:2
tcp content:"a"; content:"b"; offset:2; distance:2
tcp content:"a"; content:"b"; depth:2; within:2
tcp content:"a"; content:"b"; distance:1; depth:2
tcp content:"a"; content:"bcd"; within:2
tcp content:"a"; content:"b"; within:5; within:6
tcp content:"a"; content:"b"; within:0
tcp content:"a"; content:"b"; within:-5
tcp content:"a"; content:"b"; distance:1; startswith
tcp content:"a"; content:"b"; distance:1048577
tcp content:"a"; content:"b"; within:1048577
tcp nocase
tcp content:"a"; nocase; nocase
tcp content:"a"; nocase:x
tcp pcre:"/a/"; nocase
tcp content:"abc"; fast_pattern:1,3
tcp content:"abc"; fast_pattern:4,1
tcp content:"abc"; fast_pattern:1
tcp fast_pattern
tcp content:!"a"; fast_pattern:only
tcp content:!"a"; offset:1; fast_pattern
tcp content:"a"; fast_pattern; content:"b"; fast_pattern
tcp content:"a"; fast_pattern; fast_pattern
tcp content:"a"; offset:1; fast_pattern:only
tcp content:"a"; content:"b"; distance:1; fast_pattern:only
tcp content:"a"; fast_pattern:only; content:"b"; distance:1
tcp rawbytes
http content:"a"; rawbytes; http_uri
tcp byte_test:4,=,5,0,hex
tcp byte_test:9,=,5,0
tcp byte_test:24,=,5,0,string,dec
tcp byte_test:1,~,5,0
tcp byte_test:1,>,x,0
tcp byte_test:1,>,5,y
tcp byte_test:1,>,5
tcp byte_test:1,>,5,0,bitmask x
tcp byte_test:1,>,5,0,nosuch
tcp byte_test:1,>,v,0
tcp byte_jump:4,0,multiplier 0
tcp byte_jump:4,0,multiplier 65536
tcp byte_jump:4,0,from_end,from_beginning
tcp byte_jump:9,0
tcp byte_jump:4,x
tcp byte_jump:4
tcp byte_jump:4,0,nosuch
tcp byte_math:bytes 4, offset 0, oper %, rvalue 2, result v
tcp byte_math:bytes 11, offset 0, oper *, rvalue 2, result v
tcp byte_math:bytes 0, offset 0, oper *, rvalue 2, result v
tcp byte_math:bytes 4, offset 0, oper +, rvalue 2
tcp byte_math:bytes 4, offset 0, oper +, result v
tcp byte_math:bytes 4, offset 70000, oper +, rvalue 2, result v
tcp byte_math:bytes 4, offset 0, oper +, rvalue w, result v
tcp byte_extract:4,0,v,align 3
tcp byte_extract:4,0,v,string,foo
tcp byte_extract:4,0,v,hex
tcp byte_extract:9,0,v
tcp byte_extract:4,0
tcp byte_extract:4,70000,v
tcp byte_extract:4,0,v,multiplier 65537
tcp isdataat:70000
tcp isdataat:x
tcp isdataat:-1
ip sameip:x
ip ip_proto:nosuch
ip ip_proto:256
tcp ip_proto:6
tcp ip_proto:17
http ftpbounce
ip id:65536
ip id:x
tcp rpc:*,*,*
tcp rpc:x
tcp flowvar:x
tcp flowvar:x,!"a"
tcp pktvar:x
tcp flowint:x,<>,1
tcp flowint:x,?,1
tcp flowint:x
tcp noalert:x
tcp flowbits:nosuch,a
tcp flowbits:set
tcp flowbits:set,a b
tcp flowbits:noalert,a
tcp hostbits:isset,a,both
tcp hostbits:nosuch,a
tcp hostbits:set,a,nosuch
tcp hostbits:set
tcp xbits:set,a
tcp xbits:nosuch,a,track ip_src
tcp xbits:set,a,track nosuch
tcp xbits:set,a,track ip_src,expire 0
tcp xbits:set,a,track ip_src,expire x
tcp xbits:set,a,track tx
ip ipv4-csum:x
icmp icmpv6-csum:"invalid"
tcp stream_size:nosuch,>,5
tcp stream_size:both,<>,5
tcp stream_size:both,>
tcp stream_size:client,>,x
tcp content:"a"; dataset:set,x,type string
http http.uri; dataset:isset,x6,type nosuch
http http.uri; dataset:foo,x1,type string
http http.uri; datarep:r1,!,10,type string
pkthdr decode-event:nosuch.event
tcp gid:x
tcp nfq_set_mark:1
tcp nfq_set_mark:x
http http.uri; bsize:20<>10
http http.uri; bsize:x
tcp bsize:10
http http.uri; content:"abcdef"; bsize:3
http http.uri; content:"a"; offset:10; bsize:3
tcp flow.age:x
tcp requires:version
tcp requires:version foo
tls tls.version:"1.2"
tls tls.version:1.4
tls tls.issuerdn:CN=a
tls tls_cert_notbefore:x
tls tls_cert_expired:x
http tls_store
tls tls.cert_chain_len:x
http content:"a"; http_cookie:x
http http_cookie
http http_method; content:"a"
dns http.method; content:"GET"
http urilen:x
http http.uri; content:"a"; http_uri
http http.host; content:"A"
http http.host; content:"A"; nocase
http http.host; content:"a"; nocase
http content:"A"; http_host
http content:"a"; nocase; http_host
http flow:to_client; http.uri; content:"a"
http flow:to_server; http.stat_code; content:"a"
http http.uri; content:"a"; http.stat_code; content:"b"
http http.uri
nfs nfs_procedure:x
ssh ssh.protoversion:foo
ssh ssh.hassh; content:"a"
ssh ssh.hassh.server; content:"a"
ssh ssh-hassh; content:"a"
tls ssl_version:tls1.9
tls ssl_version:tls1.2,!tls1.3
tls ssl_state:foo
dns file.data; content:"a"
tcp app-layer-event:nosuch.x
dns app-layer-event:http.missing_host_header
http2 http2.frametype:foo
http2 http2.errorcode:foo
http2 http2.priority:300
http2 http2.window:x
http2 http2.settings:foo
http2 http2.header; content:"a"
dcerpc dcerpc.iface:x
dcerpc dcerpc.opnum:18-15
tcp asn1:foo
tcp asn1:oversize_length
tcp asn1:oversize_length -1
udp asn1:oversize_length 1000, absolute_offset -5
pkthdr engine-event:ipv4.pkt_too_small
tcp stream-event:nosuch
http config:logging enable, type tx, scope tx
http config:foo disable, type tx, scope tx
http config:logging disable
http config: tracking disable, type flow, scope flow
http config: tracking disable, type tx, scope tx
dns filename:"a"
http filesize:x
tcp l3_proto:foo
ip l3_proto:4
http dns.query; content:"a"
dns dns.opcode:x
dns dns.opcode:70000
tls tls.cert_serial; content:"5C19"
tls tls.cert_fingerprint; content:"4a:a3"
tls tls.cert_fingerprint; content:"4A:A3"
tls tls_cert_fingerprint; content:"4a:a3"; nocase
tls ja3.hash; content:"a"
tls ja3.hash; content:"a"; nocase
tls ja3_hash; content:"a"
tls ja3_hash:x
tls ja3s.hash; content:"a"
http ja3.hash; content:"a"
quic ja3.hash; content:"a"
modbus modbus:function foo
modbus modbus:access write discretes
modbus modbus:access write input
modbus modbus:access foo
modbus modbus:unit x
enip cip_service:300
enip cip_service:x
enip enip_command:x
enip enip_command:70000
dnp3 dnp3_func:foo
dnp3 dnp3_func:300
dnp3 dnp3_ind:foo
tcp base64_decode:foo
tcp base64_decode:bytes x
tcp base64_data; content:"a"
tcp base64_decode:offset -1
krb5 krb5_err_code:x
krb5 krb5_err_code:-1
krb5 krb5_msg_type:x
krb5 krb5.ticket_encryption:foo
rfb rfb.secresult:foo
rfb rfb.sectype:x
icmp icmpv6.mtu:x
udp tcp.hdr; content:"a"
tcp udp.hdr; content:"a"
tcp tcp.mss:70000
ftp-data ftpdata_command:foo
tcp target:foo
dhcp dhcp.leasetime:x
snmp snmp.version:x
snmp snmp.pdu_type:get_request
snmp snmp.pdu_type:x
mqtt mqtt.type:UNASSIGNED
mqtt mqtt.type:foo
mqtt mqtt.flags:foo
mqtt mqtt.qos:3
mqtt mqtt.protocol_version:x
mqtt mqtt.reason_code:300
mqtt mqtt.connect.flags:foo
mqtt mqtt.connack.session_present:foo
quic quic.cyu.hash; content:"a"
tcp bypass:x
http http.uri; strip_whitespace; content:"a b"
http strip_whitespace; content:"a b"
http http.uri; to_md5:x; content:"|00|"
http http.uri; pcrexform:"a(b"; content:"a"
http http.uri; pcrexform; content:"a"
http http.uri; pcrexform:"ab"; content:"a"
http http.uri; xor:"0d0ac8f"; content:"a"
http http.uri; xor:"zz"; content:"a"
http http.uri; xor; content:"a"
http http.uri; to_lowercase; content:"A"
http http.uri; to_uppercase; content:"a"
tcp content:"a"; to_lowercase
ike ike.exchtype:x
ike ike.chosen_sa_attribute:foo=1
ike ike.chosen_sa_attribute:alg_hash=x
ike ike.nonce_payload_length:x
smb frame:smb.nosuch; content:"a"
tcp frame:smb1.hdr; content:"a"
sip frame:foo; content:"a"
tls frame:ssl3; content:"a"
nfs frame:nfs.pdu; content:"a"
nfs frame:nfs.status; content:"a"
ssh frame:record.pdu; content:"a"
ssh frame:record.hdr; content:"a"
ssh frame:record.data; content:"a"
http frame:request; content:"a"
http frame:response; content:"a"
tcp frame:http.request; content:"a"
http2 frame:pdu; content:"a"
http2 frame:hdr; content:"a"
http2 frame:data; content:"a"
modbus frame:pdu; content:"a"
smtp frame:command_line; content:"a"
smtp frame:data; content:"a"
smtp frame:response_line; content:"a"
ftp frame:command_line; content:"a"
snmp frame:pdu; content:"a"
dcerpc frame:pdu; content:"a"
dcerpc frame:hdr; content:"a"
dcerpc frame:data; content:"a"
krb5 frame:pdu; content:"a"
enip frame:pdu; content:"a"
pgsql frame:pdu; content:"a"
quic frame:pdu; content:"a"
tcp frame:stream; content:"a"
tls frame:tls.pdu
tcp nosuchkeyword:1
tcp nosuchkeyword
irc content:"a"
jabber content:"a"
msn content:"a"
doh2 content:"a"
nosuchproto content:"a"
applayer content:"a"
decoder content:"a"
ipsec content:"a"
esp content:"a"
gre content:"a"
tcp iponly
sip frame:stream; content:"a"
tls frame:ssl.pdu; content:"a"
smb frame:pdu; content:"a"
smb frame:smb1.hdr
smb frame:smb1.hdr; content:"a"; smb.share; content:"b"
smb content:"x"; frame:smb1.hdr; content:"a"
smb frame:"smb1.hdr"; content:"a"
smb frame; content:"a"
http frame:http.request; content:"a"
http http.header.raw; content:"a"
http content:"a"; http_raw_header
http http.uri; content:"b"; http.header.raw; content:"a"
http flow:to_server; http.uri; content:"a"; http.response_body; content:"b"
http http.uri; to_lowercase; content:"ABC"; nocase
http http.uri; to_lowercase; url_decode; content:"ABC"; nocase
http http.uri; compress_whitespace; to_lowercase; content:"a  b"
tcp-stream content:"abc"; ttl:>3
tcp-stream content:"abc"; dsize:>3
tcp-stream content:"abc"; flow.age:>3
tcp-stream tcp.hdr; content:"a"
tcp-stream flow:no_stream
tcp flow:only_stream; content:"abc"; flags:S
tcp-pkt flow:only_stream; content:"a"
http app-layer-protocol:!http
tcp http.uri; content:"a"; app-layer-protocol:http
tcp tls.sni; content:"a"; app-layer-protocol:!tls
tcp content:"a"; http_uri; app-layer-protocol:!tls
tcp app-layer-protocol:http; app-layer-protocol:!tls
tcp app-layer-protocol:!tls; app-layer-protocol:!tls
tcp content:"x"; flowint:a,+,1
tcp content:"x"; flowint:ab,=,c
tcp content:"x"; flowint:a-b,+,1
`;
