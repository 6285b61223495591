/**
 * Rules as `protocol options -> conversations`, one of them on each line, and how often Suricata 7.0.10 fires for each
 * conversation of `names-traffic.ts` when it is not once. FP is the fingerprint of the certificate, FPU in upper case.
 */
export const NAMES_CASES = String.raw`
http content:"/b c"; http_uri -> http
http content:"/a/"; http_uri ->
http content:"/a/../b%20c"; http_raw_uri -> http
http content:"/b c"; http_raw_uri ->
http content:"GET"; http_method -> http
http content:"get"; http_method ->
http content:"get"; http_method; nocase -> http
http content:"Agent/1"; http_user_agent -> http
http content:"agent/1"; http_user_agent ->
http content:"id=7"; http_cookie -> http
http content:"s=9"; http_cookie -> http
http content:"Cookie"; http_header ->
http content:"Server|3a 20|nx"; http_header -> http
http flow:to_server; content:"Cookie"; http_raw_header -> http
http flow:to_client; content:"Location"; http_raw_header -> http
http content:"8080"; http_host ->
http content:"WWW.Example.com"; http_raw_host -> http
http content:"8080"; http_raw_host -> http
http content:"bodybody"; http_client_body -> post
http content:"answering"; http_client_body ->
http content:"answering"; http_server_body -> http
http content:"404"; http_stat_code -> http
http content:"405"; http_stat_code ->
http content:"Not There"; http_stat_msg -> http
http content:"not there"; http_stat_msg ->
http http_request_line; content:"GET /a" -> http
http http_response_line; content:"404 Not" -> http
http http_protocol; content:"HTTP/1.0" -> post*2
http http_start; content:"GET /a" -> http
http http_header_names; content:"|0d 0a|Host|0d 0a|" -> http post
http http_accept; content:"text/html" -> http
http http_accept_enc; content:"gzip" -> http
http http_accept_lang; content:"de" -> http
http http_connection; content:"close" -> http
http http_content_type; content:"text/plain" -> http
http http_content_len; content:"9" -> http
http http_referer; content:"http://r/" -> http
http http.location; content:"/else" -> http
http http.server; content:"nx/1" -> http
http uricontent:"/b c" -> http
http uricontent:"/B C" ->
http uricontent:!"zzz" -> http post
http urilen:11 ->
http urilen:>10 ->
http urilen:<8 -> post
http urilen:18,raw ->
http urilen:10<>12 ->
http urilen:11<>13 ->
http file_data; content:"answering" -> http
http file_data; content:"bodybody" -> post
http filename:"tool.exe" -> post
http filename:"tool" -> post
http filename:!"tool" -> http post
http fileext:"exe" -> post
http fileext:"ex" ->
http filesize:4 -> post
http filesize:>4 -> http post
http filemagic:"executable" ->
http file.magic; content:"MS-DOS" ->
smtp filename:"doc.pdf" -> smtp
smtp fileext:"pdf" -> smtp
smtp file_data; content:"PDF-1.4" -> smtp
smtp filemagic:"PDF document" -> smtp
mqtt mqtt.type:CONNECT -> mqtt mqttPlain
mqtt mqtt.type:PUBLISH -> mqtt mqttPlain
mqtt mqtt.type:DISCONNECT -> mqtt
mqtt mqtt.type:PINGREQ -> mqttPlain
mqtt mqtt.flags:retain -> mqtt
mqtt mqtt.flags:dup -> mqtt
mqtt mqtt.flags:dup,retain -> mqtt
mqtt mqtt.flags:!dup,!retain -> mqtt*5 mqttPlain*3
mqtt mqtt.flags:!retain -> mqtt*5 mqttPlain*3
mqtt mqtt.connect.flags:username -> mqtt
mqtt mqtt.connect.flags:username,password,will,clean_session -> mqtt
mqtt mqtt.connect.flags:!username -> mqttPlain
mqtt mqtt.connect.flags:will_retain -> mqtt
mqtt mqtt.connect.flags:!clean_session -> mqttPlain
mqtt mqtt.qos:1 -> mqtt*3
mqtt mqtt.qos:2 ->
mqtt mqtt.protocol_version:4 -> mqtt*5
mqtt mqtt.protocol_version:>4 -> mqttPlain*3
mqtt mqtt.reason_code:0 -> mqtt
mqtt mqtt.connack.return_code:0 -> mqtt
mqtt mqtt.connect.clientid; content:"abcd" -> mqtt
mqtt mqtt.connect.username; content:"usr" -> mqtt
mqtt mqtt.connect.password; content:"pwd" -> mqtt
mqtt mqtt.connect.willtopic; content:"t" -> mqtt
mqtt mqtt.connect.willmessage; content:"wm" -> mqtt
mqtt mqtt.publish.topic; content:"a/b" -> mqtt mqttPlain
mqtt mqtt.publish.message; content:"hello" -> mqtt mqttPlain
mqtt mqtt.subscribe.topic; content:"s/t" -> mqtt
mqtt mqtt.unsubscribe.topic; content:"s/t" -> mqtt
ssh ssh.protoversion:2.0 -> ssh
ssh ssh.protoversion:1.99 -> ssh
ssh ssh.protoversion:2_compat -> ssh*2
ssh ssh.protoversion:1.5 ->
ssh ssh.softwareversion:"OpenSSH" ->
ssh ssh.softwareversion:PuTTY -> ssh
ssh ssh.softwareversion:"openssh" ->
ssh ssh.softwareversion:Dropbear ->
ssh ssh_proto; content:"1.99" -> ssh
ssh ssh_software; content:"OpenSSH_9" -> ssh
ftp ftpbounce -> ftp
ftp-data ftpdata_command:retr -> ftpData
smtp content:"MAIL FROM" -> smtp
sip sip.protocol; content:"SIP/2.0" -> sip*2
sip sip.request_line; content:"INVITE sip:a@b SIP/2.0"; startswith; endswith -> sip
sip sip.response_line; content:"SIP/2.0 200 OK" -> sip
sip sip.protocol; content:"SIP/3" ->
tls tls.subject:"CN=cert.example" -> tls tlsTwo
tls tls.subject:"cn=CERT.example" ->
tls tls.subject:"cert.example.org" ->
tls tls.subject:!"cert.example" ->
tls tls.subject:!"other" -> tls tlsTwo
tls tls.issuerdn:"O=Test Org" -> tls tlsTwo
tls tls.issuerdn:"O=Other" ->
tls tls.issuerdn:!"O=Other" -> tls tlsTwo
tls tls_cert_serial; content:"5C:19:0A" -> tls tlsTwo
tls tls_cert_serial; content:"5c:19:0a" -> tls tlsTwo
tls tls_cert_serial; content:"19:0A" -> tls tlsTwo
tls tls_cert_subject; content:"CN=cert.example" -> tls tlsTwo
tls tls_cert_issuer; content:"O=Test Org" -> tls tlsTwo
tls tls.cert_chain_len:1 -> tls
tls tls.cert_chain_len:>1 -> tlsTwo
tls tls.cert_chain_len:2 -> tlsTwo
tls tls_sni; content:"sni.example" -> tls tlsTwo
tls tls.random; content:"|01 02 03 04|RR" -> tls tlsTwo
tls tls.random_time; content:"|01 02 03 04|" -> tls tlsTwo
tls tls.random_time; content:"|05 06 07 08|" -> tls tlsTwo
tls tls.random_bytes; content:"RRRR"; startswith -> tls tlsTwo
tls tls.random_bytes; content:"SSSS"; startswith -> tls tlsTwo
tls tls.random_bytes; bsize:28 -> tls*2 tlsTwo*2
tls tls.random; bsize:32 -> tls*2 tlsTwo*2
tls tls.version:1.2 -> tls*2 tlsTwo*2
tls tls.version:1.0 ->
tls ssl_version:tls1.2 -> tls*2 tlsTwo*2
tls ssl_version:tls1.0,tls1.1 ->
tls tls.certs; content:"Test Org" -> tls tlsTwo
tcp stream_size:client,>,100 -> http*7 smtp*9 raw*11 slow*11
tcp stream_size:client,>,300 -> raw*7 slow*7
tcp stream_size:both,>,60 -> http*5 post*5 tls*7 tlsTwo*7 raw*9 slow*9
tcp stream_size:either,>,300 -> tlsTwo*7 raw*7 slow*7
tcp stream_size:client,=,121 -> raw*4 slow*4
tcp stream_size:client,!=,121 -> http*10 post*10 mqtt*24 mqttPlain*14 ssh*10 ftp*18 ftpOwn*14 ftpPassive*24 ftpData*8 smtp*30 tls*12 tlsTwo*12 raw*10 slow*10
tcp stream_size:server,>=,74 -> http*5 post*5 ftpPassive*7 tls*7 tlsTwo*7 raw*5 slow*5
tcp stream_size:server,<=,71 -> http*5 post*5 mqtt*24 mqttPlain*14 ssh*10 ftp*18 ftpOwn*14 ftpPassive*17 ftpData*8 smtp*30 tls*5 tlsTwo*5 raw*9 slow*9
tcp flow.age:>2; content:"second" ->
tcp flow.age:<3; content:"second" -> raw slow
tcp flow.age:3; content:"second" ->
tcp flow.age:>8; content:"bye" ->
tcp flow.age:1<>5; content:"second" ->
tcp content:"second"; nfq_set_mark:0x1/0x2 -> raw slow
http content:"GET"; rawbytes -> http
http http.uri; content:"upload"; filestore:request,file -> post
ssh ssh.softwareversion:OpenSSH_9 -> ssh
ssh ssh.softwareversion:PuTT ->
ssh ssh.softwareversion:putty ->
ssh ssh.softwareversion:PuTTYx ->
ssh ssh.protoversion:1.9 ->
ssh ssh.protoversion:2 ->
tls tls.subject:"Test"; tls.issuerdn:"DE" ->
http filename:"TOOL.exe" -> post
http fileext:"EXE" -> post
http filename:"tool.exe.bak" ->
tcp content:"bye" -> raw slow
tcp content:"answer" -> http raw slow
tls tls.fingerprint:"FP" -> tls tlsTwo
tls tls.fingerprint:"FPU" -> tls tlsTwo
tls tls.fingerprint:!"FP" ->
tls tls.fingerprint:"00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:33" ->
tls tls_cert_fingerprint; content:"FP" -> tls tlsTwo
tls tls_cert_fingerprint; content:"FPU" -> tls tlsTwo
mqtt mqtt.flags:dup,!retain ->
mqtt mqtt.flags:!dup -> mqtt*5 mqttPlain*3
mqtt mqtt.qos:0 -> mqtt*5 mqttPlain*3
mqtt mqtt.reason_code:135 -> mqttPlain
mqtt mqtt.reason_code:134 ->
mqtt mqtt.type:CONNACK -> mqtt mqttPlain
mqtt mqtt.type:PUBACK -> mqtt
mqtt mqtt.type:AUTH ->
tcp content:"second"; flow.age:>2 ->
tcp flow.age:<2; content:"bye" -> raw slow
tcp-pkt content:"first"; hostbits:set,hb,src; noalert ->
tcp-pkt content:"second"; hostbits:isset,hb,src -> raw slow
tcp-pkt content:"second"; hostbits:isset,hb,dst ->
tcp-pkt content:"answer"; hostbits:isset,hb,dst -> http raw slow
tcp-pkt content:"answer"; hostbits:isset,hb,src ->
tcp-pkt content:"second"; hostbits:isnotset,hb,src ->
tcp-pkt content:"second"; hostbits:isnotset,other,src -> raw slow
tcp-pkt content:"first"; hostbits:toggle,hb3,src -> raw slow
tcp-pkt content:"second"; hostbits:isset,hb3,src ->
tcp-pkt content:"bye"; hostbits:unset,hb,dst -> raw slow
tcp-pkt content:"second"; nfq_set_mark:0x1/0x2 -> raw slow
ftp-data ftpdata_command:stor ->
smtp file.magic; content:"PDF document" -> smtp
smtp file.magic; content:"PE32" ->
`;
